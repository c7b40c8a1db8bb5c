import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rmdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PermanentFailure } from '../lib/failure.ts';
import { directoryFailure, rootMissing, systemCode } from './directory-failure.ts';
import { incomingFolder, pathOfKey } from './directory-names.ts';
import { walkDirectory } from './directory-walk.ts';
import { checkKey, checkPrefix, checkRange, refuseAsOf } from './key.ts';
import { ObjectNotFound, type Abortable, type ByteRange, type GetOptions, type ListOptions } from './storage.ts';
import type { PutOptions, Storage, StoredObject } from './storage.ts';
import { writeNewFile } from './write-file.ts';

const deletesAtOnce = 8;
const leftOverMs = 24 * 60 * 60 * 1000;
/** A folder may be removed as empty right after it was made for a put, so placing is repeated. */
const placements = 100;

/** Creates the directory of a new store, for this user only; its parent must be there. A directory that exists stays as it is. */
export async function prepareDirectory(path: string): Promise<void> {
  const root = resolve(path);
  try {
    await mkdir(root, { mode: 0o700 });
    await syncDirectory(dirname(root));
  } catch (error) {
    const isThere = systemCode(error) === 'EEXIST' && (await stat(root)).isDirectory();
    if (isThere) return;
    if (systemCode(error) === 'ENOENT') throw parentMissing(root, error);
    throw directoryFailure(error, { act: 'create a storage directory', root });
  }
}

/** Only the last part of the path is made: a disk that is not mounted must not become a folder on another one. */
function parentMissing(root: string, cause: unknown): PermanentFailure {
  const message = `Cannot create a storage directory as the one that would hold it is not there: ${dirname(root)}`;
  return new PermanentFailure('storage-missing', message, {
    cause,
    nextStep: `Check the path, and that the disk is mounted; or make it with: mkdir -p ${dirname(root)}`,
  });
}

/**
 * Objects as files below an existing directory. A file is written in `.incoming`, synced, and gets its name in one step (by
 * `link`, which fails if the name is taken, or by `rename`), so that a crash leaves nothing or the whole.
 * Where the file system has no hard links, `ifAbsent` is ignored.
 */
export class DirectoryStorage implements Storage {
  readonly description: string;
  readonly #root: string;
  /** Folders whose names are on the disk, up to the root, and which they were. */
  readonly #named = new Map<string, string>();
  #swept: Promise<void> | undefined;

  constructor(root: string) {
    this.#root = resolve(root);
    this.description = this.#root;
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<'stored' | 'exists'> {
    checkKey(key);
    options.signal?.throwIfAborted();
    return await this.#guard(`store ${key}`, options, async () => {
      const incoming = join(this.#root, incomingFolder, randomUUID());
      try {
        await this.#write(incoming, bytes, options);
        return await this.#place(incoming, key, options);
      } finally {
        await unlinkIfThere(incoming);
      }
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<Buffer> {
    checkKey(key);
    checkRange(options.range);
    refuseAsOf(options.asOf, this.description);
    options.signal?.throwIfAborted();
    return await this.#guard(`read ${key}`, options, async () => {
      const { file, size } = await this.#open(key);
      await using _ = file;
      const { start, end } = options.range ?? { start: 0, end: size };
      return await readRange(file, { start, end: Math.min(end, size) }, options.into);
    });
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<StoredObject> {
    checkPrefix(prefix);
    refuseAsOf(options.asOf, this.description);
    const { after, signal } = options;
    const act = `list ${prefix === '' ? 'everything' : prefix}`;
    try {
      await this.#checkRoot(act);
      yield* walkDirectory({ root: this.#root, prefix, after, signal });
      // A root that went away meanwhile looks like folders that were removed.
      await this.#checkRoot(act);
    } catch (error) {
      signal?.throwIfAborted();
      throw directoryFailure(error, { act, root: this.#root });
    }
  }

  async delete(keys: readonly string[], options: Abortable = {}): Promise<void> {
    for (const key of keys) checkKey(key);
    options.signal?.throwIfAborted();
    const act = keys.length === 1 ? `delete ${keys[0]}` : `delete ${keys.length} objects`;
    await this.#guard(act, options, async () => {
      await this.#checkRoot(act);
      const folders = new Set<string>();
      for (let at = 0; at < keys.length; at += deletesAtOnce) {
        options.signal?.throwIfAborted();
        const paths = keys.slice(at, at + deletesAtOnce).map((key) => this.#path(key));
        await Promise.all(paths.map(unlinkIfThere));
        for (const path of paths) folders.add(dirname(path));
      }
      for (const folder of folders) await this.#tidy(folder);
    });
  }

  async #guard<T>(act: string, { signal }: Abortable, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (isNoPath(error)) await this.#checkRoot(act);
      throw directoryFailure(error, { act, root: this.#root });
    }
  }

  async #checkRoot(act: string): Promise<void> {
    try {
      if ((await stat(this.#root)).isDirectory()) return;
    } catch (error) {
      if (!isNoPath(error)) throw error;
      throw rootMissing({ act, root: this.#root }, error);
    }
    throw rootMissing({ act, root: this.#root }, undefined);
  }

  async #write(path: string, bytes: Uint8Array, { signal }: Abortable): Promise<void> {
    await using file = await this.#create(path);
    // Only a favour to the disk: no put fails because of it.
    this.#swept ??= this.#sweep(file).catch(() => undefined);
    await writeNewFile(file, { path, bytes, signal });
    await file.sync();
    await this.#swept;
    signal?.throwIfAborted();
  }

  async #create(path: string): Promise<FileHandle> {
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
    await this.#makeFolder(dirname(path));
    return await open(path, 'wx', 0o600);
  }

  async #place(incoming: string, key: string, { ifAbsent = false, signal }: PutOptions): Promise<'stored' | 'exists'> {
    const path = this.#path(key);
    for (let placement = 1; ; placement++) {
      signal?.throwIfAborted();
      try {
        const outcome = await giveName(incoming, path, ifAbsent);
        await this.#syncFolders(path);
        return outcome;
      } catch (error) {
        if (systemCode(error) !== 'ENOENT' || placement === placements) throw error;
        await this.#makeFolder(dirname(path));
      }
    }
  }

  /** Never makes the root: a disk that is not mounted would be written beside. */
  async #makeFolder(folder: string): Promise<void> {
    if (folder === this.#root) return await this.#checkRoot('make a folder');
    try {
      await mkdir(folder, { mode: 0o700 });
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return;
      if (systemCode(error) !== 'ENOENT') throw error;
      await this.#makeFolder(dirname(folder));
      await mkdir(folder, { mode: 0o700 }).catch(ignoring('EEXIST', 'ENOENT'));
    }
  }

  async #open(key: string): Promise<{ readonly file: FileHandle; readonly size: number }> {
    try {
      const file = await open(this.#path(key), 'r');
      const stats = await file.stat();
      if (stats.isFile()) return { file, size: stats.size };
      await file.close();
    } catch (error) {
      if (!isNoPath(error)) throw error;
      await this.#checkRoot(`read ${key}`);
      throw new ObjectNotFound(key, { cause: error, where: this.description });
    }
    throw new ObjectNotFound(key, { where: this.description });
  }

  /** Removes folders that are empty now; a put that needs one meanwhile makes it again. */
  async #tidy(folder: string): Promise<void> {
    let rest = folder;
    try {
      for (; rest !== this.#root; rest = dirname(rest)) await rmdir(rest);
    } catch (error) {
      ignoring('ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EBUSY')(error);
    }
    await syncDirectory(rest).catch(ignoring('ENOENT', 'ENOTDIR'));
  }

  /** Removes what dead processes left in `.incoming` a day ago by the file system's time. Once per store. */
  async #sweep(fresh: FileHandle): Promise<void> {
    const folder = join(this.#root, incomingFolder);
    const now = (await fresh.stat()).mtimeMs;
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const stats = await stat(path).catch(ignoring('ENOENT'));
      if (stats?.isFile() === true && now - stats.mtimeMs > leftOverMs) await unlinkIfThere(path);
    }
  }

  #path(key: string): string {
    return join(this.#root, pathOfKey(key));
  }

  /** The file's own folder, and those above it unless this very folder's name is known to be on the disk. */
  async #syncFolders(path: string): Promise<void> {
    const [own, ...above] = this.#foldersOf(path);
    if (own === undefined) return;
    const identity = await syncDirectory(own);
    if (this.#named.get(own) === identity) return;
    for (const folder of above) await syncDirectory(folder);
    this.#named.set(own, identity);
  }

  /** From the file's own folder up to the root. */
  #foldersOf(path: string): string[] {
    const folders = [];
    for (let folder = dirname(path); folder !== this.#root; folder = dirname(folder)) folders.push(folder);
    return [...folders, this.#root];
  }
}

async function giveName(incoming: string, path: string, ifAbsent: boolean): Promise<'stored' | 'exists'> {
  if (!ifAbsent) {
    await rename(incoming, path);
    return 'stored';
  }
  try {
    await link(incoming, path);
    return 'stored';
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return 'exists';
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
  }
  await rename(incoming, path);
  return 'stored';
}

async function readRange(file: FileHandle, { start, end }: ByteRange, into: Buffer | undefined): Promise<Buffer> {
  const length = Math.max(0, end - start);
  const buffer = into && into.length >= length ? into.subarray(0, length) : Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** @returns what tells this directory from one that takes its name later; a number of an inode is used again. */
async function syncDirectory(path: string): Promise<string> {
  await using directory = await open(path, 'r');
  // Some network file systems cannot sync a directory.
  await directory.sync().catch(ignoring('EINVAL', 'ENOTSUP'));
  const { dev, ino, birthtimeNs } = await directory.stat({ bigint: true });
  return `${dev} ${ino} ${birthtimeNs}`;
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch(ignoring('ENOENT', 'ENOTDIR'));
}

function isNoPath(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function ignoring(...codes: string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes(systemCode(error) ?? '')) throw error;
  };
}
