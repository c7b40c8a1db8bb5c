import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const pageBytes = 16 << 10;
const readBytes = 4 << 20;

/** A checksum of each page of each tablespace, by the file's path. */
export type Pages = ReadonlyMap<string, readonly number[]>;

/** Reads the tablespaces below a data directory. Only what a server has written is seen. */
export async function pagesOf(directory: string): Promise<Pages> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const pages = new Map<string, number[]>();
  for (const entry of entries) {
    if (!entry.isFile() || !/\.ibd$|^ibdata|^undo/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    pages.set(path, await checksums(path));
  }
  return pages;
}

export interface ChangedPages {
  readonly changed: number;
  readonly total: number;
  readonly share: number;
}

/** Pages of `after` that are not the same in `before`, new ones included. */
export function changedPages(before: Pages, after: Pages): ChangedPages {
  let [changed, total] = [0, 0];
  for (const [path, now] of after) {
    const then = before.get(path) ?? [];
    total += now.length;
    changed += now.filter((sum, page) => sum !== then[page]).length;
  }
  return { changed, total, share: changed / total };
}

async function checksums(path: string): Promise<number[]> {
  await using file = await open(path);
  const buffer = Buffer.allocUnsafe(readBytes);
  const sums: number[] = [];
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, readBytes);
    if (bytesRead === 0) return sums;
    for (let at = 0; at < bytesRead; at += pageBytes)
      sums.push(crc32(buffer.subarray(at, Math.min(at + pageBytes, bytesRead))));
  }
}
