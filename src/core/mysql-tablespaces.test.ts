import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { refuseNewTablespaces, watchedDirectories } from './mysql-tablespaces.ts';

let root: string;
let target: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'hf-tablespaces-')));
  target = join(root, 'data');
  for (const name of ['data/app', 'fast/app', 'fast/.holdfast-old-1-part/app'])
    await mkdir(join(root, name), { recursive: true });
  await writeFile(join(root, 'fast', 'app', 'known.ibd'), '');
});
afterEach(() => rm(root, { recursive: true }));

const judge = async (...made: readonly string[]): Promise<void> => {
  const watched = await watchedDirectories(`${root};${root}/absent;../fast`, target);
  for (const path of made) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), '');
  }
  await refuseNewTablespaces(watched, { target, areas: [join(root, 'fast', 'app')] });
};

test.each([
  ['in a directory that is exchanged', 'fast/app/new.ibd'],
  ['in the data directory', 'data/app/new.ibd'],
  ['where no server looks', 'fast/.holdfast-old-1-part/app/new.ibd'],
  ['as no tablespace', 'fast/new/notes.txt'],
])('what was made %s does not keep the data from being replaced', async (_where, path) => {
  await judge(path);
});

test('a tablespace that was made elsewhere keeps the data from being replaced, and is named', async () => {
  await expect(judge('fast/new/t.ibd')).rejects.toMatchObject({
    code: 'tablespaces-made',
    message: expect.stringContaining(join(root, 'fast', 'new', 't.ibd')),
  });
});
