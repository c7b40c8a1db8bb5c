import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from './directory-failure.ts';
import type { Abortable } from './storage.ts';

/** Larger writes make the system look for larger free pieces of memory to keep them in, which can take four times as long. */
const bufferedBytes = 256 << 10;
/** Past the cache there is nothing to look for, and each write costs a thread's waking. */
const directBytes = 4 << 20;
const worthDirectBytes = 1 << 20;
/** What disks and file systems ask of writes past the cache; the memory must begin at such an address, too. */
const alignment = 4096;

/**
 * Writes all bytes into a file that was just made. Large ones go past the system's cache where the file system and the memory
 * allow it: that saves a copy, and the pages that the database on this host has there are not driven out by a backup.
 */
export async function writeNewFile(
  file: FileHandle,
  { path, bytes, signal }: { readonly path: string; readonly bytes: Uint8Array } & Abortable,
): Promise<void> {
  let at = bytes.length < worthDirectBytes ? 0 : await writeDirectly({ path, bytes, signal });
  while (at < bytes.length) {
    signal?.throwIfAborted();
    const { bytesWritten } = await file.write(bytes, at, Math.min(bufferedBytes, bytes.length - at), at);
    at += bytesWritten;
  }
}

/** @returns how many bytes are written: at most the whole pages, none where it cannot be done. */
async function writeDirectly({
  path,
  bytes,
  signal,
}: { readonly path: string; readonly bytes: Uint8Array } & Abortable): Promise<number> {
  const end = bytes.length - (bytes.length % alignment);
  let at = 0;
  try {
    await using file = await open(path, constants.O_WRONLY | constants.O_DIRECT);
    while (at < end) {
      signal?.throwIfAborted();
      const { bytesWritten } = await file.write(bytes, at, Math.min(directBytes, end - at), at);
      at += bytesWritten;
      if (bytesWritten === 0 || bytesWritten % alignment !== 0) break;
    }
  } catch (error) {
    // No such writes on this file system, or not from this memory.
    if (systemCode(error) !== 'EINVAL') throw error;
  }
  return at;
}
