import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import type { ServerFacts } from '../engine/engine.ts';
import type { Area, Owned } from './areas.ts';
import { readSmallFile } from './placement-files.ts';
import { findTableLinks } from './table-links.ts';

/** Data of a server that does not lie in its data directory. */
export interface DataOutside {
  readonly what:
    | 'system tablespace'
    | 'undo logs'
    | 'redo logs'
    | 'doublewrite files'
    | 'Aria logs'
    | 'binary logs'
    | 'relay logs'
    | 'tables';
  /** The directory that holds it; of what is behind a symbolic link, where that leads. */
  readonly path: string;
  readonly handling: Handling;
}

/**
 * What a restore in place does with it.
 *
 * - `exchange`: what the server owns in that directory is set aside there, and what is restored goes there
 * - `stay`: it belongs to the old data and stays where it is; what is restored goes into the data directory
 * - `refuse`: nothing, so there is none
 */
export type Handling =
  | { readonly kind: 'exchange'; readonly owned: readonly Owned[] }
  | { readonly kind: 'stay' }
  | { readonly kind: 'refuse'; readonly why: string };

type Facts = Pick<ServerFacts, 'dataDirectory' | 'variables' | 'vendor'>;
type Variables = ServerFacts['variables'];

const stay: Handling = { kind: 'stay' };
const holdsGuard: Handling = {
  kind: 'refuse',
  why: 'the files that keep a server from starting half-way must lie in the data directory',
};
const unproven: Handling = { kind: 'refuse', why: 'that was not proven on a server of this kind' };

interface Setting {
  readonly what: DataOutside['what'];
  /** From its value, which is a directory or a path of files. */
  readonly place: (value: string) => string;
  readonly handling: (value: string) => Handling;
}

const settings: Readonly<Record<string, Setting>> = {
  innodb_data_home_dir: { what: 'system tablespace', place: itself, handling: () => holdsGuard },
  innodb_undo_directory: { what: 'undo logs', place: itself, handling: () => exchange({ kind: 'undo' }) },
  innodb_log_group_home_dir: { what: 'redo logs', place: itself, handling: () => exchange({ kind: 'redo' }) },
  innodb_doublewrite_dir: { what: 'doublewrite files', place: itself, handling: () => unproven },
  aria_log_dir_path: { what: 'Aria logs', place: itself, handling: () => holdsGuard },
  log_bin_basename: { what: 'binary logs', place: dirname, handling: logs },
  log_bin_index: { what: 'binary logs', place: dirname, handling: file },
  relay_log_basename: { what: 'relay logs', place: dirname, handling: logs },
  relay_log_index: { what: 'relay logs', place: dirname, handling: file },
  relay_log_info_file: { what: 'relay logs', place: dirname, handling: file },
};

/**
 * What lies elsewhere, by the server's own settings and by links in its data directory, and what a restore in place does
 * with it, so that the server does not mix it with the restored data.
 */
export async function dataOutside({ dataDirectory, variables, vendor }: Facts): Promise<readonly DataOutside[]> {
  const root = await realpath(dataDirectory);
  const named = (await hasNamedConnections(root)) ? unnamed : undefined;
  const found = [
    ...bySettings(variables).map((each) => (named && each.what === 'relay logs' ? { ...each, handling: named } : each)),
    ...bySystemFiles(variables),
    ...(await linkedTo(root)),
    ...(await linkedTables(root)),
    ...(await inDirectories(variables['innodb_directories'] ?? '', root)),
  ];
  const outside: DataOutside[] = [];
  for (const { what, path, handling } of found) {
    const real = await realOr(resolve(root, path));
    if (isBelow(real, root)) continue;
    const proven = vendor === 'MariaDB' || handling.kind === 'refuse' ? handling : unproven;
    add(outside, { what, path: real, handling: proven });
  }
  return outside;
}

/** Where files are exchanged, each directory once. */
export function areasOf(outside: readonly DataOutside[]): readonly Area[] {
  const areas = new Map<string, Owned[]>();
  for (const { path, handling } of outside) {
    if (handling.kind === 'exchange') areas.set(path, [...(areas.get(path) ?? []), ...handling.owned]);
  }
  return [...areas].map(([directory, owned]) => ({ directory, owned }));
}

/** One entry for each kind, place and handling. */
function add(outside: DataOutside[], more: DataOutside): void {
  const isSame = ({ what, path, handling }: DataOutside): boolean =>
    what === more.what && path === more.path && handling.kind === more.handling.kind;
  const at = outside.findIndex(isSame);
  const known = outside[at];
  if (known === undefined) outside.push(more);
  else if (known.handling.kind === 'exchange' && more.handling.kind === 'exchange')
    outside[at] = { ...known, handling: exchange(...known.handling.owned, ...more.handling.owned) };
}

function itself(value: string): string {
  return value;
}

function exchange(...owned: readonly Owned[]): Handling {
  return { kind: 'exchange', owned };
}

function logs(value: string): Handling {
  return exchange({ kind: 'log', base: basename(value) });
}

function file(value: string): Handling {
  return exchange({ kind: 'file', name: basename(value) });
}

function bySettings(variables: Variables): DataOutside[] {
  return Object.entries(settings).flatMap(([name, { what, place, handling }]) => {
    const value = variables[name] ?? '';
    return value === '' ? [] : [{ what, path: place(value), handling: handling(value) }];
  });
}

/** `ibdata1:12M;/fast/ibdata2:50M:autoextend`; relative ones lie in `innodb_data_home_dir`. */
function bySystemFiles(variables: Variables): DataOutside[] {
  const files = (variables['innodb_data_file_path'] ?? '').split(';').map((each) => each.split(':')[0] ?? '');
  return files
    .filter((each) => isAbsolute(each))
    .map((path) => ({ what: 'system tablespace', path, handling: holdsGuard }));
}

const unnamed: Handling = {
  kind: 'refuse',
  why: 'the relay logs of connections that have a name cannot be told from those of another server',
};

/** Connections with a name of their own have relay logs of other names. */
async function hasNamedConnections(root: string): Promise<boolean> {
  const text = await readSmallFile(join(root, 'multi-master.info'), 1024 * 1024);
  return text !== undefined && text.trim() !== '';
}

/** What symbolic links to databases, and of tables in databases, lead to. */
async function linkedTo(root: string): Promise<DataOutside[]> {
  const found: DataOutside[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    if (entry.isSymbolicLink()) found.push(await linkedAtTop(path));
    if (!entry.isDirectory() || entry.name.startsWith('.holdfast-')) continue;
    for (const each of await readdir(path, { withFileTypes: true })) {
      if (each.isSymbolicLink())
        found.push({ what: 'tables', path: await linked(join(path, each.name)), handling: stay });
    }
  }
  return found;
}

/** A database, or a file or directory of the server's own that somebody moved away. */
async function linkedAtTop(path: string): Promise<DataOutside> {
  const target = await stat(path).catch(() => undefined);
  const isDatabase = target?.isDirectory() === true && !basename(path).startsWith('#');
  const why = `${basename(path)} in the data directory is a symbolic link`;
  return { what: 'tables', path: await linked(path), handling: isDatabase ? stay : { kind: 'refuse', why } };
}

async function linked(link: string): Promise<string> {
  return resolve(dirname(link), await readlink(link));
}

async function linkedTables(root: string): Promise<DataOutside[]> {
  const paths = (await findTableLinks(root)).flatMap(({ path }) => (path === undefined ? [] : [dirname(path)]));
  return [...new Set(paths)].map((told) => ({
    what: 'tables',
    path: told,
    handling: exchange({ kind: 'tables', told }),
  }));
}

/** MySQL looks for tablespaces in these, too; only where there are some do they matter. */
async function inDirectories(list: string, root: string): Promise<DataOutside[]> {
  const found: DataOutside[] = [];
  for (const directory of list.split(';').filter((each) => each !== '')) {
    const path = resolve(root, directory);
    const names = await readdir(path, { recursive: true }).catch(() => []);
    if (names.some((name) => name.endsWith('.ibd'))) found.push({ what: 'tables', path, handling: unproven });
  }
  return found;
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}${sep}`);
}

async function realOr(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
