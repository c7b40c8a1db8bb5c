import { constants } from 'node:fs';
import { link, lstat, mkdir, open, readFile, readdir, rename, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The few changes a placement makes to a file system. Tests pass one that stops or looks between two of them. */
export interface PlacementFiles {
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly link: (existing: string, path: string) => Promise<void>;
  readonly unlink: (path: string) => Promise<void>;
  readonly makeDirectory: (path: string) => Promise<void>;
  /** Leaves a directory alone that holds something. */
  readonly removeIfEmpty: (path: string) => Promise<void>;
  /** Writes the file under a name of its own, makes it durable, and renames it to `path`. */
  readonly writeDurably: (path: string, text: string, owner?: Owner) => Promise<void>;
  /** Makes renames in this directory durable. */
  readonly syncDirectory: (path: string) => Promise<void>;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export const systemFiles: PlacementFiles = {
  rename,
  link,
  unlink,
  makeDirectory: async (path) => {
    await mkdir(path, { mode: 0o700 });
    await syncDirectory(dirname(path));
  },
  removeIfEmpty,
  writeDurably,
  syncDirectory,
};

async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!isMissing(error) && !hasCode(error, 'ENOTEMPTY')) throw error;
  }
}

/** Names in a directory, sorted, so that two runs do the same in the same order. Empty when there is no such directory. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Like `lstat`, undefined when nothing is there. */
export async function statIfThere(path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export async function isThere(path: string): Promise<boolean> {
  return (await statIfThere(path)) !== undefined;
}

/** The file's text if it is a regular file of at most `limit` bytes, else undefined. */
export async function readSmallFile(path: string, limit: number): Promise<string | undefined> {
  const stat = await statIfThere(path);
  return stat?.isFile() === true && stat.size <= limit ? readFile(path, 'utf8') : undefined;
}

export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT');
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Where a file is written before it is renamed into place. */
export function temporaryFor(path: string): string {
  return join(dirname(path), `.holdfast-new-${basename(path)}`);
}

async function writeDurably(path: string, text: string, owner?: Owner): Promise<void> {
  const temporary = temporaryFor(path);
  const file = await open(
    temporary,
    constants.O_CREAT | constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    await file.writeFile(text);
    if (owner !== undefined) await file.chown(owner.uid, owner.gid);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
