import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { backUp, neverAborted as signal } from '../../tests/support/repositories.ts';
import { systemClock } from '../lib/clock.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { initRepository, type Repository } from './repository.ts';
import { restoreFiles } from './restore-files.ts';
import { RestorePlan } from './restore-plan.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

async function newRepository(): Promise<Repository> {
  const options = { clock: systemClock, signal, conditionalPut: true, unlock: undefined, label: '' };
  return initRepository(new MemoryStorage(), options);
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
