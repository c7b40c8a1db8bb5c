import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { startControl } from '../../src/control/control.ts';
import { isoTime, systemClock as clock } from '../../src/lib/clock.ts';
import { Failure } from '../../src/lib/failure.ts';
import { addSlot, initRepository } from '../../src/repository/repository.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { until } from '../support/agents.ts';
import { startTestManager, type TestManager } from '../support/manager.ts';

const wanted = {
  description: '',
  compression: 1,
  lockedStallSeconds: 10,
  retry: { mode: 'manual' as const },
  isCancelled: false,
  isPinned: false,
  isDeleted: false,
  retriesAsked: 0,
};
const none = { attempts: [], waitingFor: [], retriesTaken: 0, isPinned: false };
const signal = new AbortController().signal;
const first = 'the passphrase that it was made with';
const second = 'a passphrase that was added later';
const unlock = (passphrase: string) => ({ kind: 'passphrase', passphrase }) as const;
let folder: string;
let started: TestManager;
let catalog: Catalog;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-key-'));
  for (const name of ['store/shop', 'elsewhere', 'empty']) await mkdir(join(folder, name), { recursive: true });
  for (const [name, passphrase] of [
    ['store', first],
    ['elsewhere', second],
  ] as const)
    await makeRepository(name, passphrase);
  started = await startTestManager({
    startControl: async (options) => {
      catalog = options.catalog;
      return startControl(options);
    },
  });
});
afterAll(async () => {
  await started[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function makeRepository(name: string, passphrase: string): Promise<void> {
  const storage = new DirectoryStorage(join(folder, name));
  await initRepository(storage, { clock, signal, unlock: unlock(passphrase), conditionalPut: true, label: 'first' });
}

const placeOf = (name: string) => ({ type: 'directory', path: join(folder, name) }) as const;

describe('the passphrase of a storage location that holds a repository', () => {
  test('is the one that opens it, when it is added and when it is changed', async () => {
    const { admin } = started;
    const body = { name: 'main', place: placeOf('store'), isEncrypted: true, description: '' };
    const create = async (passphrase: string) =>
      admin.call('createLocation', { body: { ...body, secrets: { passphrase } }, signal });
    await expect(create(second)).rejects.toMatchObject({ code: 'wrong-key' });
    await create(first);
    const change = async (secrets: { passphrase: string }) =>
      admin.call('updateLocation', { params: { name: 'main' }, body: { secrets }, signal });
    await expect(change({ passphrase: second })).rejects.toMatchObject({
      code: 'wrong-key',
      message: expect.stringContaining('storage location main as it does not open the repository at its top'),
      nextStep: expect.stringContaining('holdfast repository key add'),
    });
    // What was refused was not kept: the one before is still there.
    await expect(change({ passphrase: first })).resolves.toMatchObject({ name: 'main' });
    const storage = new DirectoryStorage(join(folder, 'store'));
    const createdAt = isoTime(clock.now());
    await addSlot(storage, { known: unlock(first), added: unlock(second), label: 'later', createdAt }, signal);
    await expect(change({ passphrase: second })).resolves.toMatchObject({ status: { state: 'Working' } });
    // In folders, too, as far as backups are known there.
    await makeRepository('store/shop', second);
    await catalog.create('Backup', 'b1', {
      spec: { ...wanted, service: 'shop', location: 'main', folder: 'shop' },
      status: { state: 'Failed', attempt: 1, id: '20261121T014327Z-9f3a21bc', ...none },
    });
    await until(async () => {
      const outcome = await change({ passphrase: first }).catch((error: unknown) => error);
      return outcome instanceof Failure && outcome.code === 'wrong-key' && outcome.message.includes('in folder shop');
    });
  });

  test('must open what is at the place that it is moved to', async () => {
    const { admin } = started;
    const body = { place: placeOf('empty'), isEncrypted: true, secrets: { passphrase: first }, description: '' };
    await admin.call('createLocation', { body: { name: 'moved', ...body }, signal });
    const move = async (name: string) =>
      admin.call('updateLocation', { params: { name: 'moved' }, body: { place: placeOf(name) }, signal });
    await expect(move('elsewhere')).rejects.toMatchObject({ code: 'wrong-key' });
    await expect(move('store')).resolves.toMatchObject({ spec: { place: placeOf('store') } });
  });
});
