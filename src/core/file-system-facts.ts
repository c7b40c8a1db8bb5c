import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn } from './placement-files.ts';

/** May this process make and rename files in the directory? */
export async function canWrite(directory: string): Promise<boolean> {
  return access(directory, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Undefined when it cannot be told. */
export async function freeBytes(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

export function inGigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

export const preparedPrefix = '.holdfast-restore-';

/** Where restores prepare their files. A directory that cannot be read is for other findings to tell. */
export async function leftoversIn(directory: string): Promise<string[]> {
  const names = await namesIn(directory).catch(() => []);
  return names.filter((name) => name.startsWith(preparedPrefix)).map((name) => join(directory, name));
}
