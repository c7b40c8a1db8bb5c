import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** File sizes are asked for this many at a time. */
const concurrency = 16;

export interface DirectoryBytesOptions {
  readonly signal: AbortSignal;
  /** Names of the files and folders that do not count. */
  readonly skip?: (name: string) => boolean;
}

/**
 * Bytes of all files below a directory, an estimate: files may come and go meanwhile, links are not followed. Undefined
 * when the directory, or one in it, cannot be read.
 */
export async function directoryBytes(directory: string, options: DirectoryBytesOptions): Promise<number | undefined> {
  const folders = [directory];
  let total = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    options.signal.throwIfAborted();
    try {
      total += await folderBytes(folder, { folders, skip: options.skip });
    } catch (error) {
      if (!isMissing(error) || folder === directory) return undefined;
    }
  }
  return total;
}

interface Walk {
  /** Folders that are still to be looked into. */
  readonly folders: string[];
  readonly skip: DirectoryBytesOptions['skip'] | undefined;
}

async function folderBytes(folder: string, { folders, skip }: Walk): Promise<number> {
  let total = 0;
  let files: string[] = [];
  for await (const entry of await opendir(folder)) {
    if (skip?.(entry.name)) continue;
    if (entry.isDirectory()) folders.push(join(folder, entry.name));
    else if (entry.isFile()) files.push(join(folder, entry.name));
    if (files.length >= concurrency) {
      total += await sizeOf(files);
      files = [];
    }
  }
  return total + (await sizeOf(files));
}

async function sizeOf(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map((file) => fileBytes(file)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function fileBytes(file: string): Promise<number> {
  try {
    const { size } = await lstat(file);
    return size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
