import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure, InvalidRequest, PermanentFailure } from '../../src/lib/failure.ts';
import { DirectoryStorage, prepareDirectory } from '../../src/storage/directory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { inParallel, keysOf } from './storage-tools.ts';

const nobody = 65_534;
const canMount = tryMount();

function tryMount(): boolean {
  if (process.geteuid?.() !== 0) return false;
  const place = mkdtempSync(join(tmpdir(), 'hf-mount-'));
  const { status } = spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', place]);
  if (status === 0) spawnSync('/bin/umount', [place]);
  rmdirSync(place);
  return status === 0;
}

let folder: string;
let root: string;
let storage: DirectoryStorage;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-dir-faults-'));
  root = join(folder, 'store');
  await prepareDirectory(root);
  storage = new DirectoryStorage(root);
});
afterEach(() => rm(folder, { recursive: true }));

describe('a directory that is gone', () => {
  const gone = { name: 'PermanentFailure', code: 'storage-missing' };

  test('is an error of every verb, and nothing is made', async () => {
    const store = new DirectoryStorage(join(folder, 'never'));
    await expectEveryVerbFails(store, gone);
    expect(await readdir(folder)).toEqual(['store']);
  });

  test('is one too where a file took its place', async () => {
    await writeFile(join(folder, 'file'), '');
    await expectEveryVerbFails(new DirectoryStorage(join(folder, 'file')), gone);
  });

  test('is noticed midway', async () => {
    await inParallel(keysTo(300), (key) => storage.put(`some/${key}`, Buffer.alloc(1)));
    const list = storage.list('')[Symbol.asyncIterator]();
    await list.next();
    await rename(root, join(folder, 'elsewhere'));
    await expect(drain(list)).rejects.toMatchObject(gone);
    await expectEveryVerbFails(storage, gone);
    expect(await readdir(folder)).toEqual(['elsewhere']);
    await rename(join(folder, 'elsewhere'), root);
    expect(await keysOf(storage, 'some/')).toHaveLength(300);
  });
});

describe('preparing a directory', () => {
  test('makes it for this user only, and leaves an existing one as it is', async () => {
    await storage.put('a/b', Buffer.from('kept'));
    await prepareDirectory(root);
    expect((await storage.get('a/b')).toString()).toBe('kept');
    const modes = await Promise.all(
      ['', 'a', 'a/b', '.incoming'].map(async (path) => (await stat(join(root, path))).mode & 0o777),
    );
    expect(modes).toEqual([0o700, 0o700, 0o600, 0o700]);
  });

  test('does not make parents, and does not take a file', async () => {
    await expect(prepareDirectory(join(folder, 'no/where'))).rejects.toThrow(Failure);
    await writeFile(join(folder, 'file'), '');
    await expect(prepareDirectory(join(folder, 'file'))).rejects.toThrow(Failure);
  });
});

describe('a directory that this user may not write to', () => {
  test('says so, and can still be read', async () => {
    await storage.put('old', Buffer.from('old'));
    const { open } = process.getuid?.() === 0 ? { open: ['0o755', '0o644'] } : { open: ['0o555', '0o444'] };
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', readOnlyUser, root, String(nobody), ...open],
      { encoding: 'utf8', cwd: import.meta.dirname },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const denied = 'PermanentFailure storage-access-denied';
    expect(JSON.parse(stdout)).toEqual({ put: denied, putDeeper: denied, delete: denied, get: 'old', list: ['old'] });
  });
});

/** The modules are loaded before the rights are given up, as the unprivileged user may not read them. */
const readOnlyUser = `
  import { chmod } from 'node:fs/promises';
  import { DirectoryStorage } from '../../src/storage/directory.ts';
  const [root, uid, folderMode, fileMode] = process.argv.slice(1);
  await chmod(root + '/..', 0o755);
  await chmod(root, Number(folderMode));
  await chmod(root + '/old', Number(fileMode));
  if (process.getuid() === 0) process.setuid(Number(uid));
  const store = new DirectoryStorage(root);
  const nameOf = (error) => error.name + ' ' + error.code;
  console.log(JSON.stringify({
    put: await store.put('new', Buffer.alloc(1)).catch(nameOf),
    putDeeper: await store.put('deep/new', Buffer.alloc(1)).catch(nameOf),
    delete: await store.delete(['old']).catch(nameOf),
    get: String(await store.get('old')),
    list: (await Array.fromAsync(store.list(''))).map(({ key }) => key),
  }));
`;

describe('a file system', () => {
  beforeEach(async ({ skip }) => {
    skip(!canMount, 'a tmpfs needs root and the right to mount');
    await mount('size=2m');
  });
  afterEach(() => spawnSync('/bin/umount', ['--lazy', root]));

  test('that is full is a transient failure, which leaves nothing behind', async () => {
    await storage.put('before', Buffer.alloc(1000));
    const failure = await storage.put('big/object', Buffer.alloc(3 << 20)).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: 'Failure',
      code: 'storage-full',
      nextStep: expect.stringMatching(/^Free space/),
    });
    expect(await keysOf(storage, '')).toEqual(['before']);
    expect(await readdir(join(root, '.incoming'))).toEqual([]);
    expect(await storage.put('big/object', Buffer.alloc(1 << 20))).toBe('stored');
  });

  test('that is read-only is a permanent failure, and can still be read', async () => {
    await storage.put('old', Buffer.from('old'));
    await mount('remount,ro');
    const readOnly = { name: 'PermanentFailure', code: 'storage-read-only' };
    await expect(storage.put('new', Buffer.alloc(1))).rejects.toMatchObject(readOnly);
    await expect(storage.delete(['old'])).rejects.toMatchObject(readOnly);
    expect((await storage.get('old')).toString()).toBe('old');
    expect(await keysOf(storage, '')).toEqual(['old']);
  });
});

async function mount(options: string): Promise<void> {
  const { status, stderr } = spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', options, 'none', root], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
}

describe('what a store leaves behind', () => {
  test('goes a day later, with the next process that writes', async () => {
    await storage.put('a', Buffer.alloc(1));
    const { mtimeMs } = await stat(join(root, 'a'));
    const hours = (count: number) => mtimeMs / 1000 - count * 3600;
    for (const [name, age] of [
      ['dead', 25],
      ['paused', 23],
    ] as const) {
      await writeFile(join(root, '.incoming', name), 'part');
      await utimes(join(root, '.incoming', name), hours(age), hours(age));
    }
    await storage.put('b', Buffer.alloc(1));
    expect(await readdir(join(root, '.incoming'))).toEqual(['dead', 'paused']);
    await new DirectoryStorage(root).put('c', Buffer.alloc(1));
    expect(await readdir(join(root, '.incoming'))).toEqual(['paused']);
    expect(await keysOf(storage, '')).toEqual(['a', 'b', 'c']);
  });

  test('is no empty folder, nor does removing one hurt a put', async () => {
    for (let round = 0; round < 30; round++) {
      const folderKey = `race/${round % 3}/deep`;
      await storage.put(`${folderKey}/old`, Buffer.alloc(1));
      await Promise.all([storage.delete([`${folderKey}/old`]), storage.put(`${folderKey}/new`, Buffer.alloc(round))]);
      expect(await storage.get(`${folderKey}/new`)).toHaveLength(round);
      await storage.delete([`${folderKey}/new`]);
    }
    expect(await readdir(root)).toEqual(['.incoming']);
  });

  test('is whole objects only, wherever the writer is killed', async () => {
    for (const ms of [60, 80, 100, 130, 170]) {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', endlessWriter, root], {
        cwd: import.meta.dirname,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      await sleep(ms);
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    const objects = await Array.fromAsync(storage.list(''));
    expect(objects.length).toBeGreaterThan(5);
    for (const { key, size } of objects) {
      expect(size, key).toBe(1 << 20);
      const bytes = await storage.get(key);
      expect(bytes.equals(Buffer.alloc(1 << 20, Number(key.slice(-3)))), key).toBe(true);
    }
  });
});

const endlessWriter = `
  import { DirectoryStorage } from '../../src/storage/directory.ts';
  const store = new DirectoryStorage(process.argv[1]);
  for (let n = 100; ; n = n === 200 ? 100 : n + 1) {
    await store.put(process.pid + '/' + n, Buffer.alloc(1 << 20, n), { ifAbsent: n % 2 === 0 });
    if (n === 101) console.log('writing');
  }
`;

describe('what others put there', () => {
  test('is no object', async () => {
    await storage.put('a', Buffer.alloc(1));
    for (const name of ['.DS_Store', '100%.txt', '%2e', 'lost+found/x']) {
      await mkdir(join(root, name, '..'), { recursive: true });
      await writeFile(join(root, name), 'foreign');
    }
    expect(await keysOf(storage, '')).toEqual(['a']);
  });

  test('is never overwritten by a key that would be its folder', async () => {
    await storage.put('a/b', Buffer.alloc(1));
    await expect(storage.put('a', Buffer.alloc(1))).rejects.toThrow(InvalidRequest);
    await expect(storage.put('a/b/c', Buffer.alloc(1))).rejects.toThrow(InvalidRequest);
    expect(await keysOf(storage, '')).toEqual(['a/b']);
  });
});

async function expectEveryVerbFails(store: Storage, failure: object): Promise<void> {
  const calls = [
    () => store.put('a/b', Buffer.alloc(1)),
    () => store.put('a', Buffer.alloc(1), { ifAbsent: true }),
    () => store.get('a/b'),
    () => store.delete(['a/b']),
    () => keysOf(store, ''),
    () => keysOf(store, 'a/'),
  ];
  for (const call of calls) {
    const error = await call().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(PermanentFailure);
    expect(error).toMatchObject(failure);
  }
}

async function drain(list: AsyncIterator<unknown>): Promise<void> {
  while ((await list.next()).done !== true);
}

function keysTo(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${n}`);
}
