import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';

/** Runs `work` with a new directory, which is gone afterwards. */
export async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-format-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Every file below a directory: its path and the SHA-256 of its bytes. */
export async function hashesOf(directory: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.toSorted()) hashes[relative(directory, path)] = hash('sha256', await readFile(path));
  return hashes;
}

export function hashesOfFiles(files: ReadonlyMap<string, Buffer>): Record<string, string> {
  return Object.fromEntries([...files].map(([path, bytes]) => [path, hash('sha256', bytes)]));
}

const READER = new URL('reader/holdfast_reader.py', import.meta.url).pathname;

/** Runs the independent reader; what it throws carries its standard error. */
export async function runReader(args: readonly string[]): Promise<string> {
  const python = process.env['HOLDFAST_TEST_PYTHON'] ?? 'python3';
  const { stdout } = await promisify(execFile)(python, [READER, ...args], { timeout: 170_000, maxBuffer: 64 << 20 });
  return stdout;
}
