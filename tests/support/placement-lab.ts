import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PlacementFiles, systemFiles } from '../../src/core/placement-files.ts';

/** Writes files by path below the directory. */
export async function fillWith(directory: string, data: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(data)) {
    await mkdir(join(directory, name, '..'), { recursive: true });
    await writeFile(join(directory, name), text);
  }
}

/** Path ↦ text of every file, without the working directories of Holdfast at the top. */
export async function contents(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(directory.length + 1);
    if (entry.isFile() && !/^\.holdfast-(restore|old|placement)/.test(name)) found[name] = await readFile(path, 'utf8');
  }
  return found;
}

/** Does `limit` changes and refuses all later ones, as a killed process does. */
export function killedAfter(limit: number): PlacementFiles {
  let changes = 0;
  return watched(async () => {
    if (++changes > limit) throw new Error('killed');
  });
}

export function failingOnce(step: number): PlacementFiles {
  let changes = 0;
  return watched(async () => {
    if (++changes === step) throw new Error('the disk says no');
  });
}

/** The real thing, after a call that may refuse. */
export function watched(before: () => Promise<void>): PlacementFiles {
  const { rename, link, unlink, makeDirectory, removeIfEmpty, writeDurably, syncDirectory } = systemFiles;
  return {
    rename: async (from, to) => (await before(), rename(from, to)),
    link: async (existing, path) => (await before(), link(existing, path)),
    unlink: async (path) => (await before(), unlink(path)),
    makeDirectory: async (path) => (await before(), makeDirectory(path)),
    removeIfEmpty: async (path) => (await before(), removeIfEmpty(path)),
    writeDurably: async (path, text, owner) => (await before(), writeDurably(path, text, owner)),
    syncDirectory: async (path) => (await before(), syncDirectory(path)),
  };
}
