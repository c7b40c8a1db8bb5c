import fc from 'fast-check';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { Failure } from '../../src/lib/failure.ts';
import { checkBackup } from '../../src/repository/check.ts';
import { listBackups } from '../../src/repository/list.ts';
import { backupOfKey } from '../../src/repository/names.ts';
import { addNote } from '../../src/repository/notes.ts';
import { initRepository, openRepository } from '../../src/repository/repository.ts';
import { readSettlement } from '../../src/repository/settle.ts';
import { restoreFiles } from '../../src/repository/restore-files.ts';
import type { Unlock } from '../../src/repository/slots.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { piecesOf, randomSource, someBytes } from '../support/pieces.ts';
import { backUp, neverAborted, startAttempt } from '../support/repositories.ts';
import { hashesOf, hashesOfFiles, withDirectory } from './directories.ts';

const signal = neverAborted;
const BLOCK = 16_384;
/** More by hand: the seed that is printed repeats a run. */
const RUNS = Number(process.env['HOLDFAST_FUZZ_RUNS'] ?? 20);
const tuning = { segmentBytes: 160 << 10, frameBytes: 64 << 10, compressions: 2, uploads: 2 };
const ways: [string, Unlock | undefined][] = [
  ['in the open', undefined],
  ['encrypted', { kind: 'key-file', bytes: Buffer.alloc(32, 3) }],
];

interface Written {
  readonly objects: ReadonlyMap<string, Buffer>;
  /** The files of each backup. */
  readonly backups: ReadonlyMap<string, Record<string, string>>;
}

type Damage =
  | { readonly kind: 'flip'; readonly object: number; readonly at: number; readonly bit: number }
  | { readonly kind: 'swap'; readonly object: number; readonly other: number }
  | { readonly kind: 'copy'; readonly object: number; readonly other: number }
  | { readonly kind: 'cut'; readonly object: number; readonly at: number }
  | { readonly kind: 'remove'; readonly object: number };

const index = fc.nat({ max: 2 ** 31 });
const damage: fc.Arbitrary<Damage> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('flip' as const), object: index, at: index, bit: fc.nat({ max: 7 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('swap' as const, 'copy' as const), object: index, other: index }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), object: index, at: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), object: index }) },
);

describe.each(ways)('a repository %s', (_name, unlock) => {
  test('damaged anywhere gives an error or the very files', { timeout: 3_600_000 }, async () => {
    const written = await writeSome(unlock);
    await fc.assert(
      fc.asyncProperty(damage, async (each) => {
        const storage = restored(apply(written.objects, each));
        await expectErrorOrFiles(storage, { written, unlock });
      }),
      { numRuns: 4 * RUNS },
    );
  });

  test('leaves the next backup restorable, or fails it', { timeout: 3_600_000 }, async () => {
    const written = await writeSome(unlock);
    const random = randomSource(8);
    const files = someFiles(random);
    await fc.assert(
      fc.asyncProperty(damage, async (each) => {
        const storage = restored(apply(written.objects, each));
        const backups = new Map(written.backups);
        await orFailure(async () => {
          const repository = await openRepository(storage, { clock: systemClock, signal, unlock });
          const { sealed } = await backUp(repository, { files, random, tuning, backup: '20991231T000000Z-00000000' });
          backups.set(sealed.backup, hashesOfFiles(files));
        });
        await expectErrorOrFiles(storage, { written: { ...written, backups }, unlock });
      }),
      { numRuns: RUNS },
    );
  });
});

/** Two backups, the second of which leans on the first, what a dead attempt left, and a note. */
async function writeSome(unlock: Unlock | undefined): Promise<Written> {
  const random = randomSource(77);
  const storage = new MemoryStorage();
  const repository = await initRepository(storage, {
    clock: systemClock,
    signal,
    conditionalPut: true,
    unlock,
    label: '',
  });
  const files = someFiles(random);
  const backups = new Map<string, Record<string, string>>();
  for (let round = 0; round < 2; round += 1) {
    const { sealed } = await backUp(repository, { files, random, tuning, level: round });
    backups.set(sealed.backup, hashesOfFiles(files));
    await addNote(repository, sealed.backup, { note: { kind: 'pinned', reason: 'r' }, signal });
    const changed = Buffer.from(files.get('big.ibd') ?? '');
    someBytes(random, BLOCK).copy(changed, 3 * BLOCK);
    files.set('big.ibd', changed);
  }
  const dead = await startAttempt(repository, { backup: '20991231T000000Z-00000000', tuning });
  for (const pieces of piecesOf(files, random)) await dead.writer.write(pieces);
  await dead.writer.finish();
  return { objects: new Map([...storage.objects].map(([key, { bytes }]) => [key, bytes])), backups };
}

function someFiles(random: () => number): Map<string, Buffer> {
  const files = new Map([
    ['big.ibd', someBytes(random, 12 * BLOCK + 7)],
    ['tall.ibd', Buffer.alloc(258 * BLOCK)],
    ['empty', Buffer.alloc(0)],
  ]);
  someBytes(random, 100).copy(files.get('tall.ibd') ?? Buffer.alloc(0), 5 * BLOCK);
  for (let table = 0; table < 12; table += 1) files.set(`t${table}`, someBytes(random, 100));
  return files;
}

function apply(objects: ReadonlyMap<string, Buffer>, each: Damage): Map<string, Buffer> {
  const damaged = new Map(objects);
  const keys = [...objects.keys()];
  const key = keys[each.object % keys.length] ?? '';
  const bytes = Buffer.from(objects.get(key) ?? '');
  if (each.kind === 'remove') damaged.delete(key);
  else if (each.kind === 'cut') damaged.set(key, bytes.subarray(0, each.at % bytes.length));
  else if (each.kind === 'flip') damaged.set(key, flipped(bytes, each));
  else {
    const other = keys[each.other % keys.length] ?? '';
    damaged.set(key, objects.get(other) ?? bytes);
    if (each.kind === 'swap') damaged.set(other, bytes);
  }
  return damaged;
}

function flipped(bytes: Buffer, { at, bit }: { readonly at: number; readonly bit: number }): Buffer {
  const place = at % bytes.length;
  bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
  return bytes;
}

function restored(objects: ReadonlyMap<string, Buffer>): MemoryStorage {
  const storage = new MemoryStorage();
  const modified = new Date(systemClock.now());
  for (const [key, bytes] of objects) storage.objects.set(key, { bytes, modified });
  return storage;
}

async function expectErrorOrFiles(
  storage: MemoryStorage,
  { written, unlock }: { written: Written; unlock: Unlock | undefined },
): Promise<void> {
  await orFailure(async () => {
    const repository = await openRepository(storage, { clock: systemClock, signal, unlock });
    for (const listed of await listBackups(repository, { signal })) {
      if (listed.state !== 'sealed') continue;
      await orFailure(async () =>
        withDirectory(async (directory) => {
          const target = join(directory, 'files');
          await restoreFiles(repository, listed.sealed, { directory: target, signal });
          expect(await hashesOf(target)).toEqual(written.backups.get(listed.backup));
        }),
      );
      await orFailure(async () =>
        withDirectory(async (temporaryDirectory) => {
          await checkBackup(repository, listed.sealed, { signal, readData: true, temporaryDirectory });
        }),
      );
    }
  });
}

/** Any other error than a Failure is one that nobody thought of. */
async function orFailure(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

test('the damage does not go unseen: a flipped bit of a block is named by the check', async () => {
  const written = await writeSome(undefined);
  const key = [...written.objects.keys()].find((each) => each.endsWith('-000001.segment')) ?? '';
  const keys = [...written.objects.keys()];
  const storage = restored(
    apply(written.objects, { kind: 'flip', object: keys.indexOf(key), at: 64 + 16 + 5, bit: 1 }),
  );
  const repository = await openRepository(storage, { clock: systemClock, signal, unlock: undefined });
  const [first] = await listBackups(repository, { signal });
  if (first?.state !== 'sealed') throw new Error('not sealed');
  await withDirectory(async (temporaryDirectory) => {
    const checked = await checkBackup(repository, first.sealed, { signal, readData: true, temporaryDirectory });
    expect(checked.bad.map(({ segment }) => `backups/${segment}.segment`)).toEqual([key]);
    const options = { directory: join(temporaryDirectory, 'files'), signal };
    await expect(restoreFiles(repository, first.sealed, options)).rejects.toMatchObject({ code: 'wrong-bytes' });
  });
});

test("two seals in each other's place are refused, with no key to tell them by", async () => {
  const { objects } = await writeSome(undefined);
  const [first = '', second = ''] = [...objects.keys()].filter((key) => key.startsWith('seals/'));
  const storage = restored(objects);
  const [one, other] = [storage.objects.get(first), storage.objects.get(second)];
  if (one === undefined || other === undefined) throw new Error('two seals are needed');
  storage.objects.set(first, other).set(second, one);
  const repository = await openRepository(storage, { clock: systemClock, signal, unlock: undefined });
  for (const key of [first, second]) {
    const backup = backupOfKey(key, 'seals/') ?? '';
    await expect(readSettlement(repository, backup, signal)).rejects.toMatchObject({ code: 'repository-damaged' });
  }
});
