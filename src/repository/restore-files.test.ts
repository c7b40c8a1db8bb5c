import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { backUp, neverAborted as signal } from '../../tests/support/repositories.ts';
import { systemClock } from '../lib/clock.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { Sealed } from './documents.ts';
import { segmentOfKey } from './names.ts';
import { readNotes } from './notes.ts';
import { initRepository, type Repository } from './repository.ts';
import { restoreFiles } from './restore-files.ts';
import { RestorePlan } from './restore-plan.ts';
import { readSettlement } from './settle.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

async function newRepository(storage = new MemoryStorage()): Promise<Repository> {
  const options = { clock: systemClock, signal, conditionalPut: true, unlock: undefined, label: '' };
  return initRepository(storage, options);
}

test('files with zeros at any place are restored, and every byte is accounted for', async () => {
  const random = randomSource(3);
  const holes = Buffer.concat([someBytes(random, 16_384), Buffer.alloc(100_000), someBytes(random, 70_000)]);
  const files = new Map([
    ['empty', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(123_457)],
    ['holes', holes],
    ['ends-in-zeros', Buffer.concat([someBytes(random, 40_000), Buffer.alloc(40_000)])],
  ]);
  const repository = await newRepository();
  const { sealed } = await backUp(repository, { files, random });
  const bytes = [...files.values()].reduce((sum, file) => sum + file.length, 0);
  expect(await restoreFiles(repository, sealed, { directory, signal })).toEqual({ files: 4, bytes });
});

test('a backup of more than threads are begun for is restored, whatever of it shrinks', async () => {
  const random = randomSource(6);
  const noise = someBytes(random, 8 << 20);
  const text = Buffer.alloc(12 << 20, someBytes(random, 900));
  const files = new Map([
    ['noise', noise],
    ['text', text],
    ['both', Buffer.concat([text.subarray(0, 5 << 20), Buffer.alloc(9 << 20), noise.subarray(0, 100_001)])],
  ]);
  const repository = await newRepository();
  const { sealed } = await backUp(repository, { files, random });
  await restoreFiles(repository, sealed, { directory, signal });
  for (const [path, bytes] of files) expect((await readFile(join(directory, path))).equals(bytes)).toBe(true);
});

test('a restore that lost a part of its plan says so instead of leaving zeros', async () => {
  const random = randomSource(4);
  const repository = await newRepository();
  const { sealed } = await backUp(repository, { files: new Map([['a', someBytes(random, 3 << 20)]]), random });
  vi.spyOn(RestorePlan.prototype, 'add').mockImplementationOnce(() => Promise.resolve());
  await expect(restoreFiles(repository, sealed, { directory, signal })).rejects.toMatchObject({
    name: 'CorruptData',
    code: 'restore-incomplete',
  });
});

describe('a restore that finds bad bytes in a segment', () => {
  /** @returns a backup of one file, and the name of the segment of it that is damaged */
  async function damaged(storage: MemoryStorage): Promise<{ repository: Repository; sealed: Sealed; segment: string }> {
    const random = randomSource(5);
    const repository = await newRepository(storage);
    const { sealed } = await backUp(repository, { files: new Map([['a', someBytes(random, 3 << 20)]]), random });
    const found = [...storage.objects].find(([key]) => segmentOfKey(key) !== undefined);
    if (!found) throw new Error('no segment');
    found[1].bytes.fill(7, 100_000, 100_010);
    return { repository, sealed, segment: segmentOfKey(found[0]) ?? '' };
  }

  test('notes it once, so that the next backup leans on it no more', async () => {
    const { repository, sealed, segment } = await damaged(new MemoryStorage());
    for (const run of ['first', 'second']) {
      const restore = restoreFiles(repository, sealed, { directory: join(directory, run), signal });
      await expect(restore).rejects.toMatchObject({
        code: 'wrong-bytes',
        nextStep: expect.stringMatching(/repository check --read-data/),
      });
    }
    const notes = await readNotes(repository, sealed.backup, signal);
    expect(notes).toMatchObject([{ kind: 'bad-segment', segment }]);
    const random = randomSource(5);
    const next = await backUp(repository, { files: new Map([['a', someBytes(random, 3 << 20)]]), random });
    expect(next.sealed.parent).toBe(sealed.backup);
    await restoreFiles(repository, next.sealed, { directory: join(directory, 'next'), signal });
  });

  test('says so where the note cannot be written, too', async () => {
    let isReadOnly = false;
    const before = ({ verb }: { readonly verb: string }): void => {
      if (isReadOnly && verb === 'put') throw new Error('read only');
    };
    const { repository, sealed } = await damaged(new MemoryStorage({ before }));
    isReadOnly = true;
    const restore = restoreFiles(repository, sealed, { directory, signal });
    await expect(restore).rejects.toMatchObject({ code: 'wrong-bytes' });
  });

  test('notes nothing where the store cannot be read', async () => {
    let isGone = false;
    const before = ({ key }: { readonly key: string }): void => {
      if (isGone && segmentOfKey(key) !== undefined) throw new Error('unreachable');
    };
    const { repository, sealed } = await damaged(new MemoryStorage({ before }));
    isGone = true;
    await expect(restoreFiles(repository, sealed, { directory, signal })).rejects.toThrow('unreachable');
    expect(await readNotes(repository, sealed.backup, signal)).toEqual([]);
  });
});

describe('damage of a repository with a key says what to do:', () => {
  const cut = (bytes: Buffer): Buffer => bytes.subarray(0, 200);
  const flipped = (bytes: Buffer): Buffer => {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(150) ^ 1, 150);
    return changed;
  };
  const otherGtid = (bytes: Buffer): Buffer => Buffer.from(bytes.toString().replace('0-1-2', '0-1-3'));
  test.each([
    ['a flipped bit of a segment', { part: '.segment', damage: flipped, code: 'not-authentic' }],
    ['a segment cut short', { part: '.segment', damage: cut, code: 'repository-damaged' }],
    ['a segment that is gone', { part: '.segment', damage: undefined, code: 'repository-damaged' }],
    ['a flipped bit of an index', { part: '-index', damage: flipped, code: 'wrong-bytes' }],
    ['an index that is gone', { part: '-index', damage: undefined, code: 'repository-damaged' }],
    ['a changed digit of a seal', { part: 'seals/', damage: otherGtid, code: 'not-authentic' }],
    ['a seal cut short', { part: 'seals/', damage: cut, code: 'repository-damaged' }],
  ])('%s', async (_what, { part, damage, code }) => {
    const random = randomSource(6);
    const storage = new MemoryStorage();
    const unlock = { kind: 'key-file', bytes: Buffer.alloc(32, 1) } as const;
    const options = { clock: systemClock, signal, conditionalPut: true, unlock, label: '' };
    const repository = await initRepository(storage, options);
    const { sealed } = await backUp(repository, { files: new Map([['a', someBytes(random, 300_000)]]), random });
    for (const [key, object] of [...storage.objects].filter(([name]) => name.includes(part))) {
      if (damage) object.bytes = damage(object.bytes);
      else storage.objects.delete(key);
    }
    const restore = async (): Promise<unknown> => {
      await readSettlement(repository, sealed.backup, signal);
      return restoreFiles(repository, sealed, { directory, signal });
    };
    const nextStep = expect.stringMatching(/`holdfast repository check( --read-data)?` tells which/);
    await expect(restore()).rejects.toMatchObject({ name: 'CorruptData', code, nextStep });
  });
});
