import { expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { backUp, neverAborted, startAttempt } from '../../tests/support/repositories.ts';
import { openCipher } from './cipher.ts';
import { encodeDocument } from './documents.ts';
import { deletedKey, indexKey, sealKey } from './names.ts';
import { prune, voidAbandoned } from './prune.ts';
import { initRepository, type Repository } from './repository.ts';
import { markDeleted, readSettlement } from './settle.ts';

const signal = neverAborted;
const DAY = 24 * 3600_000;

async function newRepository(): Promise<{
  storage: MemoryStorage;
  repository: Repository;
  pass: (ms: number) => void;
}> {
  let now = systemClock.now();
  const clock = { ...systemClock, now: () => now };
  const storage = new MemoryStorage({ clock });
  const unlock = { kind: 'key-file', bytes: Buffer.alloc(32, 5) } as const;
  const repository = await initRepository(storage, { clock, signal, conditionalPut: true, unlock, label: '' });
  return { storage, repository, pass: (ms) => void (now += ms) };
}

const random = randomSource(1);
const files = new Map([['a', someBytes(random, 300_000)]]);
const options = { signal, isDryRun: false };

test('a deleted backup goes a day later, all but its mark', async () => {
  const { storage, repository, pass } = await newRepository();
  const { sealed } = await backUp(repository, { files, random });
  const other = await backUp(repository, { files, random, lineage: 'lineage-b' });
  await markDeleted(repository, sealed.backup, { reason: 'r', signal });
  expect((await prune(repository, options)).remove).toEqual([]);
  pass(DAY + 1);
  const decided = await prune(repository, { signal, isDryRun: true });
  expect(decided.bytes).toBeGreaterThan(100_000);
  expect((await prune(repository, options)).remove).toEqual(decided.remove);
  await prune(repository, options);
  const left = [...storage.objects.keys()].filter((key) => key.includes(sealed.backup));
  expect(left).toEqual([deletedKey(sealed.backup)]);
  expect(storage.objects.has(indexKey(other.sealed))).toBe(true);
});

test('a seal that cannot be read stops a collection, until its backup was marked as deleted a day ago', async () => {
  const { storage, repository, pass } = await newRepository();
  const { sealed } = await backUp(repository, { files, random });
  const second = await backUp(repository, { files, random });
  await markDeleted(repository, sealed.backup, { reason: 'r', signal });
  const object = storage.objects.get(sealKey(second.sealed.backup));
  if (!object) throw new Error('no seal');
  object.bytes = object.bytes.subarray(0, 99);
  pass(8 * DAY);
  expect(await voidAbandoned(repository, signal)).toEqual([]);
  const before = [...storage.objects.keys()];
  // It may need what the deleted one uploaded, as in fact it does.
  await expect(prune(repository, options)).rejects.toMatchObject({
    code: 'table-unreadable',
    nextStep: expect.stringContaining('delete it'),
  });
  expect([...storage.objects.keys()]).toEqual(before);
  await markDeleted(repository, second.sealed.backup, { reason: 'r', signal });
  await expect(prune(repository, options)).rejects.toMatchObject({ code: 'table-unreadable' });
  pass(DAY + 1);
  await prune(repository, options);
  await prune(repository, options);
  const left = [...storage.objects.keys()].filter((key) => !/^(keys|probe|repository)/.test(key));
  expect(left).toEqual([deletedKey(sealed.backup), deletedKey(second.sealed.backup)]);
});

test('a mark that was not made with the key deletes nothing', async () => {
  const { storage, repository, pass } = await newRepository();
  const { sealed } = await backUp(repository, { files, random });
  const key = deletedKey(sealed.backup);
  const mark = { backup: sealed.backup, deletedAt: sealed.sealedAt, reason: 'forged' };
  await storage.put(key, encodeDocument(mark, { cipher: openCipher, key }));
  pass(2 * DAY);
  const before = storage.objects.size;
  await expect(prune(repository, options)).rejects.toMatchObject({ code: 'not-authentic' });
  expect(storage.objects.size).toBe(before);
});

test('a table that cannot be read stops the collection before anything goes', async () => {
  const { storage, repository, pass } = await newRepository();
  const first = await backUp(repository, { files, random });
  const second = await backUp(repository, { files, random });
  await markDeleted(repository, first.sealed.backup, { reason: 'r', signal });
  pass(2 * DAY);
  storage.objects.get(indexKey(second.sealed))?.bytes.fill(0, 70);
  const before = storage.objects.size;
  await expect(prune(repository, options)).rejects.toMatchObject({ code: 'table-unreadable' });
  expect(storage.objects.size).toBe(before);
});

test('a table that another collection removes meanwhile is not missed', async () => {
  const { storage, repository, pass } = await newRepository();
  const { sealed } = await backUp(repository, { files, random });
  await markDeleted(repository, sealed.backup, { reason: 'r', signal });
  pass(DAY - 60_000);
  const read = storage.get.bind(storage);
  let others: readonly string[] = [];
  storage.get = async (key, getOptions) => {
    if (key === indexKey(sealed)) {
      storage.get = read;
      pass(120_000);
      others = (await prune(repository, options)).remove.map((object) => object.key);
    }
    return read(key, getOptions);
  };
  const removed = (await prune(repository, options)).remove.map((object) => object.key);
  expect(others).toContain(indexKey(sealed));
  expect(removed).not.toContain(indexKey(sealed));
});

test('an attempt is given up after seven days without a sign', async () => {
  const { repository, pass } = await newRepository();
  const attempt = await startAttempt(repository, {});
  const { backup } = attempt.name;
  pass(4 * DAY);
  await attempt.writer.write([{ type: 'data', path: 'a', offset: 0, bytes: someBytes(random, 2 << 20) }]);
  await attempt.writer.write([{ type: 'end', path: 'a', size: 2 << 20 }]);
  await attempt.writer.finish();
  pass(6 * DAY);
  expect(await voidAbandoned(repository, signal)).toEqual([]);
  pass(2 * DAY);
  expect(await voidAbandoned(repository, signal)).toEqual([backup]);
  expect(await readSettlement(repository, backup, signal)).toMatchObject({ state: 'void' });
  await expect(startAttempt(repository, { backup })).rejects.toMatchObject({ code: 'already-settled' });
});
