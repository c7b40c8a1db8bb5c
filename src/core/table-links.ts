import { lstat, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';

/**
 * A table whose file InnoDB looks for elsewhere (`DATA DIRECTORY`), as an `.isl` file beside its definition tells, or, with MySQL,
 * its dictionary and the tool's own list.
 */
export interface TableLink {
  readonly database: string;
  /** As files are named: `t`, or `t#P#p0` for a part of it. */
  readonly table: string;
  /** The tablespace as the link tells it; undefined where that is no `<directory>/<database>/<table>.ibd`. */
  readonly path: string | undefined;
  /** Of one in the list: its file in the backup, below the backup's directory. Such a server needs no link. */
  readonly file?: string;
}

const suffix = '.isl';
/** No path is longer. */
const limitBytes = 4096;

/** The links in a data directory, also in databases that are themselves behind a symbolic link. */
export async function findTableLinks(dataDirectory: string): Promise<readonly TableLink[]> {
  const found: TableLink[] = [];
  for (const database of await databasesIn(dataDirectory)) {
    const folder = join(dataDirectory, database);
    for (const name of (await readdir(folder)).toSorted()) {
      if (!name.endsWith(suffix)) continue;
      const table = name.slice(0, -suffix.length);
      found.push({ database, table, path: toldPath(await textOf(join(folder, name)), { database, table }) });
    }
  }
  return found;
}

/**
 * Removes the links from the files of a backup, and answers them. They name files of the server that was backed up, and a
 * server that finds one opens what it names. The tables themselves are in the backup, in the directories of their databases,
 * where servers look for them when there is no link.
 */
export async function takeOutTableLinks(directory: string): Promise<readonly TableLink[]> {
  const links = await findTableLinks(directory);
  for (const { database, table } of links) await unlink(linkPath(directory, { database, table }));
  return links;
}

/** Where a server looks for the link of a table. */
export function linkPath(directory: string, { database, table }: Pick<TableLink, 'database' | 'table'>): string {
  return join(directory, database, `${table}${suffix}`);
}

async function databasesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names: string[] = [];
  for (const entry of entries) {
    const isLinked = entry.isSymbolicLink() && (await isDirectory(join(directory, entry.name)));
    if ((entry.isDirectory() || isLinked) && !entry.name.startsWith('.holdfast-')) names.push(entry.name);
  }
  return names.toSorted();
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function textOf(path: string): Promise<string> {
  const { size } = await lstat(path);
  return size > limitBytes ? '' : (await readFile(path, 'utf8')).trim();
}

function toldPath(text: string, { database, table }: Pick<TableLink, 'database' | 'table'>): string | undefined {
  const isUsual = isAbsolute(text) && basename(text) === `${table}.ibd` && basename(dirname(text)) === database;
  return isUsual && !text.includes('\0') ? join(text) : undefined;
}
