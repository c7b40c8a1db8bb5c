import { chmod, lstat, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { giveTo, ownershipFor, ownershipOf } from './ownership.ts';

const signal = new AbortController().signal;
const isRoot = process.getuid?.() === 0;
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-ownership-'));
});
afterEach(() => rm(root, { recursive: true }));

test('is learnt from what a server made, and never lets others in', async () => {
  await mkdir(join(root, 'mysql'));
  await writeFile(join(root, 'ibdata1'), '');
  await chmod(join(root, 'mysql'), 0o755);
  await chmod(join(root, 'ibdata1'), 0o666);
  const { uid, gid } = await stat(root);
  expect(await ownershipOf(root)).toEqual({ uid, gid, directoryMode: 0o750, fileMode: 0o660 });
});

test('of a directory that is not there is unknown', async () => {
  expect(await ownershipOf(join(root, 'none'))).toBeUndefined();
});

test('is given to everything below, but not through links', async () => {
  const user = isRoot ? { uid: 65534, gid: 65534 } : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const [outside, data] = [join(root, 'outside'), join(root, 'data')];
  await writeFile(outside, '');
  await chmod(outside, 0o604);
  await mkdir(join(data, 'app'), { recursive: true });
  await writeFile(join(data, 'app', 't.ibd'), '');
  await symlink(outside, join(data, 'link'));
  await giveTo(data, ownershipFor(user), { signal });
  expect(await stat(join(data, 'app', 't.ibd'))).toMatchObject({ ...user, mode: 0o100640 });
  expect(await stat(join(data, 'app'))).toMatchObject({ ...user, mode: 0o40750 });
  expect(await lstat(join(data, 'link'))).toMatchObject(user);
  expect((await stat(outside)).mode).toBe(0o100604);
});
