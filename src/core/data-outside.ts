import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import type { Finding, ServerFacts } from '../engine/engine.ts';

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
  /** Where it is. */
  readonly path: string;
}

type Variables = ServerFacts['variables'];

/** Settings that name a directory, or the beginning of file names. */
const settings: readonly (readonly [name: string, what: DataOutside['what'], kind: 'directory' | 'files'])[] = [
  ['innodb_data_home_dir', 'system tablespace', 'directory'],
  ['innodb_undo_directory', 'undo logs', 'directory'],
  ['innodb_log_group_home_dir', 'redo logs', 'directory'],
  ['innodb_doublewrite_dir', 'doublewrite files', 'directory'],
  ['aria_log_dir_path', 'Aria logs', 'directory'],
  ['log_bin_basename', 'binary logs', 'files'],
  ['relay_log_basename', 'relay logs', 'files'],
];

/**
 * What a restore in place would leave as it is, and the server would mix with the restored data: by the server's own
 * settings, and by links in its data directory.
 */
export async function dataOutside({
  dataDirectory,
  variables,
}: Pick<ServerFacts, 'dataDirectory' | 'variables'>): Promise<readonly DataOutside[]> {
  const root = await realpath(dataDirectory);
  const named = [...bySettings(variables), ...bySystemFiles(variables)];
  const linked = await linkedFrom(root);
  const others = await inDirectories(variables['innodb_directories'] ?? '', root);
  const outside: DataOutside[] = [];
  for (const { what, path } of [...named, ...linked, ...others]) {
    const real = await realOr(resolve(root, path));
    const isKnown = outside.some((each) => each.what === what && each.path === real);
    if (!isBelow(real, root) && !isKnown) outside.push({ what, path: real });
  }
  return outside;
}

/** May a data directory be replaced whose server has these? Pure. */
export function judgeOutside(target: string, outside: readonly DataOutside[]): Finding {
  if (outside.length === 0) {
    return { level: 'ok', code: 'data-together', message: `All data of the server lies in ${target}.` };
  }
  const shown = outside.slice(0, 10).map(({ what, path }) => `${what} in ${path}`);
  const more = outside.length > shown.length ? `, and ${outside.length - shown.length} more` : '';
  return {
    level: 'error',
    code: 'data-outside',
    message: `Some of the server's data lies outside ${target}, and would stay as it is beside the restored data: ${shown.join(', ')}${more}.`,
    nextStep:
      'Restore into a directory and put the data in its places by hand, or first bring all data of the server into its data directory.',
  };
}

function bySettings(variables: Variables): DataOutside[] {
  return settings.flatMap(([name, what, kind]) => {
    const value = variables[name] ?? '';
    if (value === '') return [];
    return [{ what, path: kind === 'directory' ? value : dirname(value) }];
  });
}

/** `ibdata1:12M;/fast/ibdata2:50M:autoextend`; relative ones lie in `innodb_data_home_dir`. */
function bySystemFiles(variables: Variables): DataOutside[] {
  const files = (variables['innodb_data_file_path'] ?? '').split(';').map((each) => each.split(':')[0] ?? '');
  return files.filter((file) => isAbsolute(file)).map((path) => ({ what: 'system tablespace', path }));
}

/** Symbolic links to databases and tables, and the `.isl` files that InnoDB keeps for tables elsewhere. */
async function linkedFrom(root: string): Promise<DataOutside[]> {
  const found: DataOutside[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    if (entry.isSymbolicLink()) found.push({ what: 'tables', path: await linked(path) });
    if (!entry.isDirectory() || entry.name.startsWith('.holdfast-')) continue;
    for (const each of await readdir(path, { withFileTypes: true })) {
      if (each.isSymbolicLink()) found.push({ what: 'tables', path: await linked(join(path, each.name)) });
      if (each.name.endsWith('.isl')) found.push({ what: 'tables', path: await targetOf(join(path, each.name)) });
    }
  }
  return found;
}

async function linked(link: string): Promise<string> {
  return resolve(dirname(link), await readlink(link));
}

async function targetOf(link: string): Promise<string> {
  return (await readFile(link, 'utf8')).trim();
}

/** MySQL looks for tablespaces in these, too; only where there are some do they matter. */
async function inDirectories(list: string, root: string): Promise<DataOutside[]> {
  const found: DataOutside[] = [];
  for (const directory of list.split(';').filter((each) => each !== '')) {
    const path = resolve(root, directory);
    const names = await readdir(path, { recursive: true }).catch(() => []);
    if (names.some((name) => name.endsWith('.ibd'))) found.push({ what: 'tables', path });
  }
  return found;
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}${sep}`);
}

async function realOr(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
