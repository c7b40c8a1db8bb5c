import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { Conflict } from '../lib/failure.ts';
import type { Owned } from './areas.ts';
import { namesIn } from './placement-files.ts';

/** A directory in which MySQL looks for tablespaces by itself, with those that it had no part in, or that nobody moves. */
export interface Watched {
  readonly directory: string;
  /** Paths below it. */
  readonly known: readonly string[];
}

export interface TablespaceDirectory {
  readonly what: 'tables' | 'undo logs';
  /** As the server writes it. */
  readonly path: string;
  readonly owned: Owned;
}

/**
 * Where a server keeps tablespaces outside its data directory, from its own list: files as it writes them, from `root` where they
 * are not absolute. Undo logs in their own directory are found by that.
 */
export async function tablespaceDirectories(
  list: readonly string[],
  { root, undoDirectory }: { readonly root: string; readonly undoDirectory: string },
): Promise<readonly TablespaceDirectory[]> {
  const paths = list.map((path) => resolve(root, path));
  const isUndo = (path: string): boolean => !path.endsWith('.ibd');
  const home = resolve(root, undoDirectory);
  const undo = paths.filter((path) => isUndo(path) && dirname(path) !== home);
  const told = new Set(paths.filter((path) => !isUndo(path)).map((path) => dirname(path)));
  const found: TablespaceDirectory[] = undo.map((path) => ({
    what: 'undo logs',
    path: dirname(path),
    owned: { kind: 'file', name: basename(path) },
  }));
  for (const directory of told) {
    const own = new Set(paths.filter((path) => dirname(path) === directory).map((path) => basename(path)));
    const present = await namesIn(directory);
    const others = present.filter((name) => name.endsWith('.ibd') && !own.has(name));
    found.push({ what: 'tables', path: directory, owned: { kind: 'tablespaces', told: directory, others } });
  }
  return found;
}

/** @param list `innodb_directories`, e.g. `/fast;/more` */
export async function watchedDirectories(list: string, root: string): Promise<readonly Watched[]> {
  const watched: Watched[] = [];
  for (const each of list.split(';').filter((path) => path !== '')) {
    const directory = await realpath(resolve(root, each)).catch(() => undefined);
    if (directory !== undefined) watched.push({ directory, known: await tablespacesBelow(directory) });
  }
  return watched;
}

/**
 * Made since the server was asked, in a directory that nobody knew of: with these there, a server on the restored data could find
 * two tablespaces of one number at any later start.
 * @param moved the data directory, and directories whose new tablespaces are set aside
 * @throws Conflict `tablespaces-made`
 */
export async function refuseNewTablespaces(
  watched: readonly Watched[],
  moved: { readonly target: string; readonly areas: readonly string[] },
): Promise<void> {
  const target = await realpath(moved.target);
  for (const { directory, known } of watched) {
    const present = (await tablespacesBelow(directory)).filter((path) => !known.includes(path));
    const made = present
      .map((path) => join(directory, path))
      .filter((path) => !moved.areas.includes(dirname(path)) && !path.startsWith(`${target}/`));
    if (made.length === 0) continue;
    throw new Conflict(
      'tablespaces-made',
      `Cannot replace the data as the server has begun to keep tables where it kept none before: ${made.slice(0, 5).join(', ')}`,
      { nextStep: 'Run the restore again: it then knows of these, too.' },
    );
  }
}

/** MySQL does not look into hidden directories. */
async function tablespacesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter(({ name }) => name.endsWith('.ibd'))
    .map(({ parentPath, name }) => relative(directory, join(parentPath, name)))
    .filter((path) => !path.split(sep).some((part) => part.startsWith('.')));
}
