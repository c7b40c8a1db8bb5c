import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Sealed } from '../repository/documents.ts';
import { prune } from '../repository/prune.ts';
import { initRepository } from '../repository/repository.ts';
import { markDeleted } from '../repository/settle.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { backUp, neverAborted } from '../../tests/support/repositories.ts';
import { bytesFreedByDeleting, freedByDeleting } from './freed-by-deleting.ts';

const signal = neverAborted;
const dayMs = 25 * 3_600_000;

test('what is said to be freed is what a collection removes a day later, whichever goes first', async () => {
  let now = systemClock.now();
  const clock: Clock = { ...systemClock, now: () => now };
  const random = randomSource(11);
  const storage = new MemoryStorage({ clock });
  const options = { clock, signal, conditionalPut: true, unlock: undefined, label: 'test' };
  const repository = await initRepository(storage, options);
  const files = new Map([['t.ibd', someBytes(random, 4_000_000)]]);
  let left: Sealed[] = [];
  for (let round = 0; round < 4; round += 1) {
    left.push((await backUp(repository, { files, random })).sealed);
    files.get('t.ibd')?.fill(round + 1, round * 1_000_000, round * 1_000_000 + 600_000);
  }
  for (const victims of [[1], [0, 1], [0]]) {
    const deleted = new Set(victims.map((at) => left[at]?.backup ?? ''));
    const promised = await bytesFreedByDeleting(repository, { sealed: left, deleted, signal });
    for (const backup of deleted) await markDeleted(repository, backup, { reason: 'test', signal });
    now += dayMs;
    const { bytes } = await prune(repository, { signal, isDryRun: false });
    expect(promised, `deleting ${victims.join(' and ')}`).toBe(bytes);
    expect(bytes).toBeGreaterThan(0);
    left = left.filter(({ backup }) => !deleted.has(backup));
  }
});

test('what stays as others need it is counted, and who needs it is named', async () => {
  const clock = systemClock;
  const random = randomSource(12);
  const storage = new MemoryStorage({ clock });
  const options = { clock, signal, conditionalPut: true, unlock: undefined, label: 'test' };
  const repository = await initRepository(storage, options);
  const files = new Map([['t.ibd', someBytes(random, 4_000_000)]]);
  const { sealed: first } = await backUp(repository, { files, random });
  files.get('t.ibd')?.fill(7, 0, 200_000);
  const { sealed: second } = await backUp(repository, { files, random });
  const sealed = [first, second];
  const early = await freedByDeleting(repository, { sealed, deleted: new Set([first.backup]), signal });
  expect(early.usedBy).toEqual([second.backup]);
  expect(early.keptBytes).toBeGreaterThan(early.freedBytes);
  const late = await freedByDeleting(repository, { sealed, deleted: new Set([second.backup]), signal });
  expect(late).toMatchObject({ usedBy: [], keptBytes: 0 });
});
