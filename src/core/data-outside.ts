import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import type { ServerFacts } from '../engine/engine.ts';
import type { Area, Owned } from './areas.ts';
import { tablespaceDirectories, type Watched, watchedDirectories } from './mysql-tablespaces.ts';
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
 * - `watch`: nothing; a server looks for tablespaces there, and one that is new there keeps the restore from taking place
 * - `refuse`: nothing, so there is none
 */
export type Handling =
  | { readonly kind: 'exchange'; readonly owned: readonly Owned[] }
  | { readonly kind: 'stay' }
  | { readonly kind: 'watch'; readonly known: readonly string[] }
  | { readonly kind: 'refuse'; readonly why: string };

type Facts = Pick<ServerFacts, 'dataDirectory' | 'variables' | 'vendor' | 'tablespacesOutside'>;
type Variables = ServerFacts['variables'];

const stay: Handling = { kind: 'stay' };
const holdsGuard: Handling = {
  kind: 'refuse',
  why: 'the files that keep a server from starting half-way must lie in the data directory',
};
const unproven: Handling = { kind: 'refuse', why: 'that was not proven on a server of this kind' };
const untold: Handling = {
  kind: 'refuse',
  why: 'which of these are its own the server tells only a user with PROCESS',
};

interface Setting {
  readonly what: DataOutside['what'];
  /** From its value, which is a directory or a path of files. */
  readonly place: (value: string) => string;
  readonly handling: (value: string) => Handling;
}

const common: Readonly<Record<string, Setting>> = {
  innodb_data_home_dir: { what: 'system tablespace', place: itself, handling: () => holdsGuard },
  aria_log_dir_path: { what: 'Aria logs', place: itself, handling: () => holdsGuard },
  log_bin_basename: { what: 'binary logs', place: dirname, handling: logs },
  log_bin_index: { what: 'binary logs', place: dirname, handling: file },
  relay_log_basename: { what: 'relay logs', place: dirname, handling: logs },
  relay_log_index: { what: 'relay logs', place: dirname, handling: file },
  relay_log_info_file: { what: 'relay logs', place: dirname, handling: file },
};

const ofMariadb: Readonly<Record<string, Setting>> = {
  ...common,
  innodb_undo_directory: { what: 'undo logs', place: itself, handling: () => exchange({ kind: 'undo' }) },
  innodb_log_group_home_dir: { what: 'redo logs', place: itself, handling: () => exchange({ kind: 'redo' }) },
};

const ofMysql: Readonly<Record<string, Setting>> = {
  ...common,
  innodb_undo_directory: { what: 'undo logs', place: itself, handling: () => exchange({ kind: 'mysql-undo' }) },
  innodb_log_group_home_dir: { what: 'redo logs', place: itself, handling: () => exchange({ kind: 'mysql-redo' }) },
  innodb_doublewrite_dir: {
    what: 'doublewrite files',
    place: itself,
    handling: () => exchange({ kind: 'doublewrite' }),
  },
};

/** The variables that tell of it. */
export const settingsOfOutside: readonly string[] = [
  ...new Set([...Object.keys(ofMariadb), ...Object.keys(ofMysql)]),
  'innodb_data_file_path',
  'innodb_directories',
];

/**
 * What lies elsewhere, by the server's own settings and by links in its data directory, and what a restore in place does
 * with it, so that the server does not mix it with the restored data.
 */
export async function dataOutside(facts: Facts): Promise<readonly DataOutside[]> {
  const root = await realpath(facts.dataDirectory);
  const found = [
    ...bySettings(facts),
    ...bySystemFiles(facts.variables),
    ...(await linkedTo(root)),
    ...(facts.vendor === 'MariaDB' ? await linkedTables(root) : await tablespacesOf(facts, root)),
  ];
  const named = (await hasNamedConnections(facts, root)) ? unnamed : undefined;
  const outside: DataOutside[] = [];
  for (const { what, path, handling } of found) {
    const real = await realOr(resolve(root, path));
    if (isBelow(real, root)) continue;
    if (what === 'relay logs' && named !== undefined) add(outside, { what, path: real, handling: named });
    else add(outside, { what, path: real, handling: provenFor(facts.vendor, handling) });
  }
  return outside;
}

/** A server of MySQL whose databases lie behind symbolic links was not tried. */
function provenFor(vendor: Facts['vendor'], handling: Handling): Handling {
  return vendor !== 'MariaDB' && handling.kind === 'stay' ? unproven : handling;
}

/** Directories of this server in which no tablespace may appear before its data is replaced. */
export function watchedOf(outside: readonly DataOutside[]): readonly Watched[] {
  return outside.flatMap(({ path, handling }) =>
    handling.kind === 'watch' ? [{ directory: path, known: handling.known }] : [],
  );
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

function bySettings({ variables, vendor }: Facts): DataOutside[] {
  return Object.entries(vendor === 'MariaDB' ? ofMariadb : ofMysql).flatMap(([name, { what, place, handling }]) => {
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

/**
 * Connections with a name of their own have relay logs of other names: MariaDB lists them, MySQL's show by their files, which look
 * like those of a server whose logs have a longer name.
 */
async function hasNamedConnections({ vendor, variables }: Facts, root: string): Promise<boolean> {
  if (vendor === 'MariaDB') {
    const text = await readSmallFile(join(root, 'multi-master.info'), 1024 * 1024);
    return text !== undefined && text.trim() !== '';
  }
  const base = variables['relay_log_basename'] ?? '';
  if (base === '') return false;
  const names = await readdir(dirname(resolve(root, base))).catch(() => []);
  return names.some((name) => name.startsWith(`${basename(base)}-`) && /\.(\d{6,}|index)$/.test(name));
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

/** MySQL lists them itself; where it does not, those that lie where it looks for some may be its own. */
async function tablespacesOf({ variables, tablespacesOutside }: Facts, root: string): Promise<DataOutside[]> {
  const watched = await watchedDirectories(variables['innodb_directories'] ?? '', root);
  if (tablespacesOutside === undefined) {
    const filled = watched.filter(({ known }) => known.length > 0);
    return filled.map(({ directory }) => ({ what: 'tables', path: directory, handling: untold }));
  }
  const undoDirectory = variables['innodb_undo_directory'] ?? '';
  const directories = await tablespaceDirectories(tablespacesOutside, { root, undoDirectory });
  return [
    ...directories.map(({ what, path, owned }): DataOutside => ({ what, path, handling: exchange(owned) })),
    ...watched.map(({ directory, known }): DataOutside => ({
      what: 'tables',
      path: directory,
      handling: { kind: 'watch', known },
    })),
  ];
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}${sep}`);
}

async function realOr(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
