import { expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { GetOptions } from '../storage/storage.ts';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { backUp, neverAborted } from '../../tests/support/repositories.ts';
import type { Sealed } from './documents.ts';
import { fetchBlocks, FetchTools } from './fetch-blocks.ts';
import { IndexReader } from './index-reader.ts';
import { runLength, runsOfLeaf } from './plan-runs.ts';
import { initRepository, type Repository } from './repository.ts';
import type { PlannedRun } from './restore-plan.ts';
import { walkFile } from './walk.ts';

const signal = neverAborted;
const SIZE = 20 << 20;

class CountingStorage extends MemoryStorage {
  readonly ranges: number[] = [];

  override async get(key: string, options: GetOptions = {}): Promise<Buffer> {
    const bytes = await super.get(key, options);
    this.ranges.push(bytes.length);
    return bytes;
  }
}

async function makeBackup(): Promise<{ storage: CountingStorage; repository: Repository; sealed: Sealed }> {
  const storage = new CountingStorage();
  const options = { clock: systemClock, signal, conditionalPut: true, unlock: undefined, label: '' };
  const repository = await initRepository(storage, options);
  const random = randomSource(9);
  const tuning = { segmentBytes: 32 << 20, frameBytes: 1 << 20, compressions: 2, uploads: 1 };
  const files = new Map([['a', someBytes(random, SIZE)]]);
  const { sealed } = await backUp(repository, { files, random, tuning, level: 0 });
  return { storage, repository, sealed };
}

/** The planned runs of the only file; all lie in one segment. */
async function planOf(repository: Repository, sealed: Sealed): Promise<{ segment: string; runs: PlannedRun[] }> {
  const index = await IndexReader.open(sealed, { ...repository, signal });
  const file = await index.file('a');
  const names = new Set<string>();
  const runs: PlannedRun[] = [];
  if (!file) throw new Error('no file');
  for await (const { extent, firstBlock } of walkFile(index, file)) {
    const segmentNumber = (name: string): number => names.add(name).size;
    runs.push(...runsOfLeaf(extent, { file: 0, firstBlock, segmentNumber }));
  }
  const [segment = ''] = names;
  expect(names.size).toBe(1);
  return { segment, runs };
}

async function fetch(repository: Repository, wanted: { segment: string; runs: PlannedRun[] }): Promise<number> {
  let bytes = 0;
  const lengthOf = (run: PlannedRun): number => runLength(run, SIZE);
  const onDone = (runs: readonly PlannedRun[]): void => {
    for (const run of runs) bytes += lengthOf(run);
  };
  await using tools = new FetchTools(repository);
  await fetchBlocks(repository, wanted, { signal, lengthOf, onDone, tools });
  return bytes;
}

test('what is wanted of a segment comes in few large ranges, and only that', async () => {
  const { storage, repository, sealed } = await makeBackup();
  const { segment, runs } = await planOf(repository, sealed);
  storage.ranges.length = 0;
  const blocks = runs.reduce((sum, { ids }) => sum + ids.length / 32, 0);
  expect(await fetch(repository, { segment, runs })).toBe(blocks * 16_384);
  expect(storage.ranges.length).toBeLessThanOrEqual(4);
  expect(Math.max(...storage.ranges)).toBeLessThanOrEqual(8 << 20);

  const [first] = runs;
  const last = runs.at(-1);
  if (!first || !last) throw new Error('no runs');
  storage.ranges.length = 0;
  await fetch(repository, { segment, runs: [first, last] });
  expect(storage.ranges).toHaveLength(2);
  expect(storage.ranges.every((length) => length <= (1 << 20) + 16)).toBe(true);
});

test('a segment that is shorter than it was, or has other bytes, is refused', async () => {
  const { storage, repository, sealed } = await makeBackup();
  const wanted = await planOf(repository, sealed);
  const object = storage.objects.get(`backups/${wanted.segment}.segment`);
  if (!object) throw new Error('no segment');
  const whole = object.bytes;
  object.bytes = whole.subarray(0, 10 << 20);
  await expect(fetch(repository, wanted)).rejects.toMatchObject({ code: 'repository-damaged' });
  object.bytes = Buffer.from(whole);
  object.bytes.writeUInt8((whole[9 << 20] ?? 0) ^ 1, 9 << 20);
  await expect(fetch(repository, wanted)).rejects.toMatchObject({ code: 'wrong-bytes' });
});
