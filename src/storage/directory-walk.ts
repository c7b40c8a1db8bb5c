import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

import { systemCode } from './directory-failure.ts';
import { pathOfKey, segmentOfName } from './directory-names.ts';
import { compareKeys } from './key.ts';
import type { StoredObject } from './storage.ts';

/** Names held at once. A larger folder is read several times, so that memory stays bounded. */
const namesAtOnce = 50_000;
const statsAtOnce = 64;

export interface Walk {
  readonly root: string;
  readonly prefix: string;
  /** Only keys behind this one. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For tests. */
  readonly namesAtOnce?: number;
}

/** Every object below the root whose key starts with the prefix, in ascending order of the keys' UTF-8 bytes. */
export function walkDirectory(walk: Walk): AsyncGenerator<StoredObject> {
  return walkFolder(walk, walk.prefix.slice(0, walk.prefix.lastIndexOf('/') + 1));
}

/**
 * @param folder empty, or a key's start that ends with `/`.
 * In key order a folder stands at its name with the slash, since `a-b` comes before `a/b`.
 */
async function* walkFolder(walk: Walk, folder: string): AsyncGenerator<StoredObject> {
  let after = '';
  for (;;) {
    const names = await nextNames(walk, folder, after);
    yield* walkNames(walk, names);
    const last = names.at(-1);
    if (last === undefined || names.length < (walk.namesAtOnce ?? namesAtOnce)) return;
    after = last;
  }
}

async function* walkNames(walk: Walk, names: readonly string[]): AsyncGenerator<StoredObject> {
  for (let at = 0; at < names.length; at += statsAtOnce) {
    walk.signal?.throwIfAborted();
    const found = names.slice(at, at + statsAtOnce).map((key) => describe(walk, key));
    for (const item of await Promise.all(found)) {
      if (typeof item === 'string') yield* walkFolder(walk, item);
      else if (item !== undefined) yield item;
    }
  }
}

/** The smallest names behind `after`, as keys, those of folders with a slash at their end. */
async function nextNames(walk: Walk, folder: string, after: string): Promise<readonly string[]> {
  const smallest = new SmallestKeys(walk.namesAtOnce ?? namesAtOnce);
  for await (const entry of entriesOf(join(walk.root, pathOfKey(folder)))) {
    const typed = keyOf(entry, folder);
    const key = typed instanceof Promise ? await typed : typed;
    if (key !== undefined && isWanted(walk, key) && compareKeys(key, after) > 0) smallest.add(key);
  }
  walk.signal?.throwIfAborted();
  return smallest.sorted();
}

/** Keeps the smallest of all keys that are added, at most twice as many at once. */
class SmallestKeys {
  readonly #limit: number;
  #keys: string[] = [];
  #bound: string | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(key: string): void {
    if (this.#bound !== undefined && compareKeys(key, this.#bound) > 0) return;
    this.#keys.push(key);
    if (this.#keys.length < this.#limit * 2) return;
    this.#keys = this.sorted();
    this.#bound = this.#keys.at(-1);
  }

  sorted(): string[] {
    return this.#keys.toSorted(compareKeys).slice(0, this.#limit);
  }
}

async function* entriesOf(path: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(path, { bufferSize: 1024 });
  } catch (error) {
    // The folder may have been removed meanwhile, or never been there: nothing is in it.
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
}

function keyOf(entry: Dirent, folder: string): string | undefined | Promise<string | undefined> {
  const segment = segmentOfName(entry.name);
  if (segment === undefined || entry.isSymbolicLink()) return undefined;
  if (entry.isFile()) return folder + segment;
  if (entry.isDirectory()) return `${folder}${segment}/`;
  return keyOfUntyped(join(entry.parentPath, entry.name), folder + segment);
}

/** Some file systems do not tell the type in the listing. */
async function keyOfUntyped(path: string, key: string): Promise<string | undefined> {
  const stats = await lstatIfThere(path);
  if (stats?.isFile() === true) return key;
  return stats?.isDirectory() === true ? `${key}/` : undefined;
}

function isWanted({ prefix, after }: Walk, key: string): boolean {
  const isFolder = key.endsWith('/');
  if (!key.startsWith(prefix) && !(isFolder && prefix.startsWith(key))) return false;
  if (after === undefined) return true;
  return compareKeys(key, after) > 0 || (isFolder && after.startsWith(key));
}

/** A folder stays what it is. */
async function describe(walk: Walk, key: string): Promise<StoredObject | string | undefined> {
  if (key.endsWith('/')) return key;
  const stats = await lstatIfThere(join(walk.root, pathOfKey(key)));
  if (stats?.isFile() !== true) return undefined;
  // The file's bytes are stamped before its name is there, by days if the writer sleeps between; ctime is when it got its name.
  return { key, size: stats.size, modified: stats.ctime };
}

async function lstatIfThere(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
