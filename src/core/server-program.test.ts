import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findServerProgram } from './server-program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function program(name: string, mode: number): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, '', { mode });
  return path;
}

test("the vendor's own name goes first, and what cannot be run is passed over", async () => {
  await program('one/mariadbd', 0o644);
  await program('two/mysqld', 0o755);
  const own = await program('two/mariadbd', 0o755);
  const path = `relative:${folder}/one:${folder}/two`;
  expect(await findServerProgram('MariaDB', { path, naming: 'so' })).toBe(own);
  expect(await findServerProgram('MySQL', { path, naming: 'so' })).toBe(join(folder, 'two/mysqld'));
});
