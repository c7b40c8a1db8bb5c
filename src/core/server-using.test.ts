import { spawn } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findServerUsing, parseLocks, serverArguments } from './server-using.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-using-'));
});
afterEach(() => rm(root, { recursive: true }));

test('a process with a file open for writing is found, one that reads is not', async () => {
  const path = join(root, 'ibdata1');
  await writeFile(path, '');
  const found: unknown[] = [];
  for (const flags of ['r', 'r+']) {
    await using file = await open(path, flags);
    const child = spawn('/bin/sleep', ['60'], { stdio: ['ignore', 'ignore', file.fd] });
    found.push((await findServerUsing(root))?.pid === child.pid);
    child.kill();
  }
  expect(found).toEqual([false, true]);
});

test('how the server of a directory was started is told, and of no other', async () => {
  await writeFile(join(root, 'ibdata1'), '');
  await using file = await open(join(root, 'ibdata1'), 'r+');
  const options = ['--defaults-file=/etc/mysql/second.cnf', '--port=3307'];
  const child = spawn('/bin/sh', ['-c', 'read line', 'mariadbd', ...options], { stdio: ['pipe', 'ignore', file.fd] });
  const args = await serverArguments(root);
  child.kill();
  expect(args).toEqual(expect.arrayContaining(options));
});

test('a directory that is not there is used by nobody', async () => {
  expect(await findServerUsing(join(root, 'none'))).toBeUndefined();
  expect(await serverArguments(join(root, 'none'))).toEqual([]);
});

test('the owners of locks are told by device and file, waiting ones and other kinds too', () => {
  const text = [
    '1: POSIX  ADVISORY  WRITE 812 fe:00:131 0 EOF',
    '1: -> POSIX  ADVISORY  WRITE 900 fe:00:140 0 EOF',
    '2: FLOCK  ADVISORY  READ 77 00:1a:9 0 EOF',
    'nonsense',
  ].join('\n');
  expect([...parseLocks(text)]).toEqual([
    ['fe:00:131', 812],
    ['fe:00:140', 900],
    ['00:1a:9', 77],
  ]);
});
