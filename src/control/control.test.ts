import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../tests/support/fake-clock.ts';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { backUp } from '../../tests/support/repositories.ts';
import { StandInAgent } from '../../tests/support/stand-in-agent.ts';
import { backupCreateSchema } from '../api/backup-routes.ts';
import {
  agentSpecSchema,
  agentStatusSchema,
  locationSpecSchema,
  locationStatusSchema,
  serviceSpecSchema,
  serviceStatusSchema,
} from '../api/inventory.ts';
import type { Resource } from '../api/resources.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { openSqliteCatalog } from '../catalog/sqlite.ts';
import { Conflict, Failure, PermanentFailure } from '../lib/failure.ts';
import { addNote } from '../repository/notes.ts';
import { initRepository, type Repository } from '../repository/repository.ts';
import { readSettlement } from '../repository/settle.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { type Control, startControl } from './control.ts';

const signal = new AbortController().signal;
const unreachable = new Failure('agent-unreachable', 'Cannot reach the agent');
const storeDown = new Failure('storage-failed', 'Cannot reach the store');

let folder: string;
let clock: FakeClock;
let agent: StandInAgent;
let storage: MemoryStorage;
let repository: Repository;
let isStoreDown: boolean;
let catalog: Catalog;
let control: Control;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-control-'));
  clock = new FakeClock();
  agent = new StandInAgent();
  isStoreDown = false;
  storage = new MemoryStorage({ clock });
  repository = await initRepository(storage, {
    clock,
    signal,
    conditionalPut: true,
    unlock: undefined,
    label: 'test',
  });
  await open();
  const spec = agentSpecSchema.parse({ connection: { type: 'dials' } });
  const server = { isUp: true, vendor: 'MariaDB', version: '10.11.19' };
  await catalog.create('Agent', 'db1', { spec, status: agentStatusSchema.parse({ state: 'Connected', server }) });
  await catalog.create('Service', 'shop', {
    spec: serviceSpecSchema.parse({ agent: 'db1' }),
    status: serviceStatusSchema.parse({ state: 'Online', vendor: 'MariaDB' }),
  });
  await catalog.create('StorageLocation', 'main', {
    spec: locationSpecSchema.parse({ place: { type: 'directory', path: '/srv/main' }, isEncrypted: false }),
    status: locationStatusSchema.parse({ state: 'Working' }),
  });
});
afterEach(async () => {
  await close();
  await rm(folder, { recursive: true });
});

async function open(): Promise<void> {
  catalog = await openSqliteCatalog({ file: join(folder, 'manager.db'), clock });
  control = await startControl({
    catalog,
    clock,
    secrets: { get: async () => ({}), set: async () => undefined, remove: async () => undefined },
    launcher: { agent: () => agent },
    stores: {
      open: async () => {
        if (isStoreDown) throw storeDown;
        return {
          description: storage.description,
          put: storage.put.bind(storage),
          get: storage.get.bind(storage),
          list: storage.list.bind(storage),
          delete: storage.delete.bind(storage),
          [Symbol.asyncDispose]: async () => undefined,
        };
      },
      probe: async () => ({ conditionalPut: true, findings: [] }),
    },
    onTrouble: () => undefined,
  });
}

async function close(): Promise<void> {
  await control[Symbol.asyncDispose]();
  await catalog[Symbol.asyncDispose]();
}

async function backup(name = 'b', retry: object = { mode: 'manual' }): Promise<Resource<'Backup'>> {
  return control.createBackup(backupCreateSchema.parse({ name, service: 'shop', location: 'main', retry }));
}

async function show(name = 'b'): Promise<Resource<'Backup'>['status']> {
  const found = await catalog.get('Backup', name);
  if (found === undefined) throw new Error('it is gone');
  return found.status;
}

/** Time passes, in steps, so that what answers without a timer does so in between. */
async function pass(ms: number): Promise<void> {
  const step = Math.max(250, ms / 40);
  for (let passed = 0; passed < ms; passed += step) await clock.pass(step);
}

async function keysBelow(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix)) keys.push(key);
  return keys;
}

async function sealIt(id: string): Promise<void> {
  const files = new Map([['t.ibd', someBytes(randomSource(3), 50_000)]]);
  await backUp(repository, { files, random: randomSource(4), backup: id });
}

async function running(name = 'b', retry?: object): Promise<string> {
  const { status } = await backup(name, retry);
  await pass(1_000);
  expect((await show(name)).state).toBe('Running');
  return status.id;
}

describe('a backup', () => {
  it('is asked for once, polled twice a second, and succeeded when its seal was read', async () => {
    const id = await running();
    const polls = agent.count('get');
    await pass(10_000);
    expect(agent.count('start')).toBe(1);
    expect(agent.count('get') - polls).toBeGreaterThanOrEqual(18);
    expect(agent.count('get') - polls).toBeLessThanOrEqual(24);
    await sealIt(id);
    agent.becomes(id, 'Succeeded');
    await pass(1_000);
    expect(await show()).toMatchObject({ state: 'Succeeded', result: { backup: id }, technology: 'MariaDB' });
  });

  it('is not called succeeded when its agent says so and there is no seal', async () => {
    const id = await running();
    agent.becomes(id, 'Succeeded');
    await pass(1_000);
    expect(await show()).toMatchObject({ state: 'Failed', failure: { code: 'not-sealed' } });
    expect((await show()).proof).toBeUndefined();
  });

  it('waits for a store that does not answer before it is called succeeded', async () => {
    const id = await running();
    await sealIt(id);
    isStoreDown = true;
    agent.becomes(id, 'Succeeded');
    await pass(60_000);
    expect(await show()).toMatchObject({ state: 'Running', waitingFor: [expect.stringContaining('read back')] });
    isStoreDown = false;
    await pass(15_000);
    expect(await show()).toMatchObject({ state: 'Succeeded', waitingFor: [] });
  });

  it('waits while its agent does what others started, and is counted once', async () => {
    agent.troubles.set('start', new Conflict('busy', 'Cannot start it as another job runs'));
    await backup();
    await pass(1_000);
    expect(await show()).toMatchObject({ state: 'Pending', attempt: 0, attempts: [] });
    expect((await show()).waitingFor).toHaveLength(1);
    await pass(30_000);
    agent.troubles.clear();
    await pass(15_000);
    expect(await show()).toMatchObject({ state: 'Running', attempt: 1, attempts: [{ number: 1 }], waitingFor: [] });
  });

  it('is followed where the agent has it already, begun before a crash with other words', async () => {
    const id = await running();
    await close();
    await open();
    agent.troubles.set('start', new Conflict('attempt-differs', 'Cannot start it'));
    await pass(1_000);
    const found = await catalog.get('Backup', 'b');
    if (found === undefined) throw new Error('it is gone');
    await catalog.replace({ ...found, status: { ...found.status, state: 'Starting' } });
    await pass(1_000);
    expect(await show()).toMatchObject({ state: 'Running', attempt: 1 });
    await sealIt(id);
    agent.becomes(id, 'Succeeded');
    await pass(1_000);
    expect((await show()).state).toBe('Succeeded');
  });

  it('fails at once when no retry can mend it', async () => {
    agent.trouble = new PermanentFailure('agent-not-trusted', 'Cannot talk to the agent');
    await backup('b', { mode: 'auto', retries: 5, intervalSeconds: 10 });
    await pass(1_000);
    expect(await show()).toMatchObject({ state: 'Failed', attempt: 1, failure: { code: 'agent-not-trusted' } });
  });

  it('is tried again as often as was said and after the time that was said, also over a restart', async () => {
    const failure = { code: 'x', message: 'Cannot', evidence: [], causes: [], isPermanent: false };
    const id = await running('b', { mode: 'auto', retries: 2, intervalSeconds: 600 });
    agent.becomes(id, 'Failed', { failure });
    await pass(1_000);
    expect(await show()).toMatchObject({ state: 'Waiting', attempt: 1, failure: { code: 'x' } });
    await close();
    await open();
    await pass(500_000);
    expect((await show()).state).toBe('Waiting');
    await pass(110_000);
    expect(await show()).toMatchObject({ state: 'Running', attempt: 2 });
    agent.becomes(id, 'Failed', { failure });
    await pass(1_000);
    await control.retryBackup('b');
    await control.retryBackup('b');
    await pass(1_000);
    expect(await show()).toMatchObject({ state: 'Running', attempt: 3, retriesTaken: 1 });
    for (const attempt of [3, 4]) {
      expect((await show()).attempt).toBe(attempt);
      agent.becomes(id, 'Failed', { failure });
      await pass(630_000);
    }
    expect(await show()).toMatchObject({ state: 'Failed', attempt: 4 });
    expect(agent.count('start')).toBe(4);
  });

  it('is not asked for when an attempt that was believed lost had sealed it', async () => {
    const id = await running('b', { mode: 'auto', retries: 1, intervalSeconds: 60 });
    agent.trouble = unreachable;
    await pass(300_000);
    expect(await show()).toMatchObject({ state: 'Running', waitingFor: [expect.stringContaining('does not answer')] });
    await pass(310_000);
    expect(await show()).toMatchObject({ state: 'Waiting', failure: { code: 'agent-lost', isPermanent: false } });
    await sealIt(id);
    await pass(70_000);
    expect(await show()).toMatchObject({ state: 'Succeeded', attempt: 2 });
    expect(agent.count('start')).toBe(1);
  });

  it('lets an attempt that was believed lost come to its end before the next one begins', async () => {
    const id = await running('b', { mode: 'auto', retries: 1, intervalSeconds: 60 });
    agent.trouble = unreachable;
    await pass(620_000);
    agent.trouble = undefined;
    agent.troubles.set('start', new Conflict('busy', 'Cannot start it as another job runs'));
    await pass(90_000);
    expect(await show()).toMatchObject({
      state: 'Waiting',
      attempt: 1,
      waitingFor: ['Agent db1 is busy with something else.'],
    });
    await sealIt(id);
    agent.becomes(id, 'Succeeded');
    await pass(15_000);
    expect(await show()).toMatchObject({ state: 'Succeeded' });
  });

  it('is cancelled for good although neither agent nor store answers', async () => {
    const id = await running('b', { mode: 'auto', retries: 5, intervalSeconds: 1 });
    agent.trouble = unreachable;
    isStoreDown = true;
    await control.cancel('Backup', 'b');
    await pass(700_000);
    expect((await show()).state).toBe('Cancelled');
    agent.trouble = undefined;
    isStoreDown = false;
    await pass(700_000);
    expect((await show()).state).toBe('Cancelled');
    expect(await readSettlement(repository, id, signal)).toBeUndefined();
  });

  it('that was cancelled after it was sealed has succeeded', async () => {
    const id = await running();
    await sealIt(id);
    await control.cancel('Backup', 'b');
    await pass(1_000);
    expect((await show()).state).toBe('Succeeded');
  });

  it('that is deleted while its store is away is deleted later, or is said not to be, and again when asked', async () => {
    const id = await running();
    await sealIt(id);
    agent.becomes(id, 'Succeeded');
    await pass(1_000);
    isStoreDown = true;
    await control.deleteBackup('b');
    await pass(60_000);
    expect(await show()).toMatchObject({ state: 'Deleting', waitingFor: [expect.stringContaining('does not answer')] });
    await pass(600_000);
    expect(await show()).toMatchObject({ state: 'DeleteFailed', failure: { code: 'storage-failed' } });
    isStoreDown = false;
    await pass(600_000);
    expect((await show()).state).toBe('DeleteFailed');
    await control.deleteBackup('b');
    await pass(1_000);
    expect((await show()).state).toBe('Deleted');
  });

  it('that is pinned in its repository is not deleted until it is unpinned, and its record goes with its data', async () => {
    const id = await running();
    await sealIt(id);
    agent.becomes(id, 'Succeeded');
    await pass(1_000);
    await addNote(repository, id, { note: { kind: 'pinned', reason: 'by another' }, signal });
    await control.deleteBackup('b');
    await pass(1_000);
    expect(await show()).toMatchObject({ state: 'DeleteFailed', isPinned: true, failure: { code: 'pinned' } });
    await expect(control.deleteBackup('b')).rejects.toMatchObject({ code: 'pinned' });
    await control.setPinned('b', false);
    await pass(1_000);
    await control.deleteBackup('b');
    await pass(1_000);
    expect((await show()).state).toBe('Deleted');
    expect((await keysBelow('backups/')).length).toBeGreaterThan(0);
    await pass(23 * 3_600_000);
    expect((await show()).state).toBe('Deleted');
    await pass(3 * 3_600_000);
    expect(await catalog.get('Backup', 'b')).toBeUndefined();
    expect(await keysBelow('backups/')).toEqual([]);
  });

  it('of a service that was removed fails and says so', async () => {
    const service = await catalog.get('Service', 'shop');
    agent.troubles.set('start', new Conflict('busy', 'Cannot start it'));
    await backup();
    await pass(1_000);
    if (service !== undefined) await catalog.remove((await catalog.get('Service', 'shop')) ?? service);
    await pass(30_000);
    expect(await show()).toMatchObject({ state: 'Failed', attempt: 0, failure: { code: 'no-such-service' } });
  });
});
