import { constants } from 'node:fs';
import { open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrently } from './concurrently.ts';

/** Makes sure that a directory, all below it and its own name are on disk. A directory is read as it is walked: it may be large. */
export async function syncTree(directory: string): Promise<void> {
  await mapConcurrently(filesBelow(directory), 8, syncPath);
  await syncPath(join(directory, '..'));
}

/** Every file, and each directory behind what is in it. */
async function* filesBelow(directory: string): AsyncGenerator<string> {
  for await (const entry of await opendir(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
  yield directory;
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
