import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeOwnedDirectory } from './owned-directory.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'hf-owned-'));
});
afterEach(() => rm(parent, { recursive: true }));

async function madeByAnother(): Promise<{ name: string; kill: () => Promise<void> }> {
  const code = `
    import { makeOwnedDirectory } from ${JSON.stringify(new URL('owned-directory.ts', import.meta.url).href)};
    console.log(await makeOwnedDirectory(${JSON.stringify(parent)}, 'work'));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = await once(child.stdout, 'data');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { name: basename(String(printed).trim()), kill };
}

it('what a killed process left goes with the next of its kind; what lives stays', async () => {
  const other = await madeByAnother();
  await writeFile(join(parent, other.name, 'large'), 'x');
  const own = basename(await makeOwnedDirectory(parent, 'work'));
  expect((await readdir(parent)).toSorted()).toEqual([own, other.name].toSorted());
  await other.kill();
  await makeOwnedDirectory(parent, 'play');
  expect(await readdir(parent)).toContain(other.name);
  await makeOwnedDirectory(parent, 'work');
  expect(await readdir(parent)).not.toContain(other.name);
  expect(await readdir(parent)).toContain(own);
});

it('an id that is used again is another process; another host and another container are not judged by their ids', async () => {
  const [, pid = '', start = '', host = '', space = ''] = basename(await makeOwnedDirectory(parent, 'work')).split('-');
  const reused = `work-${pid}-${Number(start) - 1}-${host}-${space}-aaaaaa`;
  const elsewhere = `work-4194305-1-00000000-${space}-aaaaaa`;
  const container = `work-4194305-1-${host}-1-aaaaaa`;
  const longGone = `work-4194305-1-${host}-1-bbbbbb`;
  const strange = 'work-of-somebody';
  for (const name of [reused, elsewhere, container, longGone, strange]) await mkdir(join(parent, name));
  await utimes(join(parent, longGone), 0, 0);
  await makeOwnedDirectory(parent, 'work');
  const left = await readdir(parent);
  expect(left).toEqual(expect.arrayContaining([elsewhere, container, strange]));
  expect(left).not.toContain(reused);
  expect(left).not.toContain(longGone);
});
