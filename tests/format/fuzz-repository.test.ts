import fc from 'fast-check';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { Failure } from '../../src/lib/failure.ts';
import { checkBackup } from '../../src/repository/check.ts';
import type { Sealed } from '../../src/repository/documents.ts';
import { FRAME_HEADER_BYTES, OBJECT_HEADER_BYTES } from '../../src/repository/frame.ts';
import { listBackups } from '../../src/repository/list.ts';
import { backupOfKey, parseSegmentName, segmentKey, segmentOfKey } from '../../src/repository/names.ts';
import { addNote } from '../../src/repository/notes.ts';
import { initRepository, openRepository, type Repository } from '../../src/repository/repository.ts';
import { readFooter } from '../../src/repository/segment-reader.ts';
import { readSettlement } from '../../src/repository/settle.ts';
import { restoreFiles } from '../../src/repository/restore-files.ts';
import type { Unlock } from '../../src/repository/slots.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { piecesOf, randomSource, someBytes } from '../support/pieces.ts';
import { backUp, neverAborted, startAttempt } from '../support/repositories.ts';
import { apply, damage, type Damage, damagedKeys } from './damaged-objects.ts';
import { hashesOf, hashesOfFiles, withDirectory } from './directories.ts';

const signal = neverAborted;
const BLOCK = 16_384;
/** More by hand; the seed repeats what was damaged. */
const RUNS = Number(process.env['HOLDFAST_FUZZ_RUNS'] ?? 20);
const SEED = Number(process.env['HOLDFAST_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Fewer runs may do little by chance. Of 20, three quarters and more use what is there. */
const MEANINGFUL_RUNS = 20;
/** The backup whose attempt died; the next attempt takes up what that one left. */
const UNFINISHED = '20991231T000000Z-00000000';
const tuning = { segmentBytes: 160 << 10, frameBytes: 64 << 10, compressions: 2, uploads: 2 };
const ways: [string, Unlock | undefined][] = [
  ['in the open', undefined],
  ['encrypted', { kind: 'key-file', bytes: Buffer.alloc(32, 3) }],
];

interface Written {
  readonly objects: ReadonlyMap<string, Buffer>;
  /** The files of each backup. */
  readonly backups: ReadonlyMap<string, Record<string, string>>;
  /** What the attempt that died had read. */
  readonly files: ReadonlyMap<string, Buffer>;
}

describe.each(ways)('a repository %s', (name, unlock) => {
  const property = { seed: SEED, numRuns: RUNS };
  beforeAll(() => void process.stdout.write(`fuzz of a repository ${name}: HOLDFAST_FUZZ_SEED=${SEED}\n`));

  test('damaged anywhere gives an error or the very files, and the check sees it', { timeout: 3_600_000 }, async () => {
    const written = await writeSome(unlock);
    await fc.assert(
      fc.asyncProperty(damage, async (each) => {
        const storage = restored(apply(written.objects, each));
        await expectErrorOrFiles(storage, { written, unlock });
      }),
      { ...property, numRuns: 4 * RUNS },
    );
  });

  test(
    'damaged anywhere fails the next backup or lets it restore, or its check names the segment whose data is bad',
    {
      timeout: 3_600_000,
    },
    async () => {
      const written = await writeSome(unlock);
      const done = { sealed: 0, leaning: 0, adopting: 0 };
      await fc.assert(
        fc.asyncProperty(damage, async (each) => {
          const storage = restored(apply(written.objects, each));
          const random = randomSource(8);
          const files = changed(written.files, { at: 7, random });
          const backups = new Map(written.backups);
          let made: Awaited<ReturnType<typeof backUp>> | undefined;
          await orFailure(async () => {
            const repository = await openRepository(storage, { clock: systemClock, signal, unlock });
            made = await backUp(repository, { files, random, tuning, backup: UNFINISHED });
          });
          if (made) {
            const { sealed } = made;
            backups.set(sealed.backup, hashesOfFiles(files));
            const repository = await openRepository(storage, { clock: systemClock, signal, unlock });
            const found = await readWhole(repository, sealed, backups);
            const suspects = await suspectsOf(written, { unlock, each });
            expect(found.bad, 'what the check of the new backup finds').toBeDefined();
            expect(suspects).toEqual(expect.arrayContaining([...(found.bad ?? [])]));
            expect(found.restores, 'the new backup restores, or the check says why not').toBe(found.bad?.length === 0);
            count(done, made);
          }
          await expectErrorOrFiles(storage, { written: { ...written, backups }, unlock });
        }),
        property,
      );
      if (RUNS < MEANINGFUL_RUNS) return;
      // Most damage keeps no backup from being made, and most backups use what is there.
      for (const times of Object.values(done)) expect(times, JSON.stringify(done)).toBeGreaterThan(RUNS / 4);
    },
  );
});

function count(
  done: { sealed: number; leaning: number; adopting: number },
  { sealed, written }: Awaited<ReturnType<typeof backUp>>,
): void {
  const names = [...written.segments].map(({ name }) => parseSegmentName(name));
  done.sealed += 1;
  if (names.some((name) => name?.backup !== sealed.backup)) done.leaning += 1;
  if (names.some((name) => name?.backup === sealed.backup && name.attempt !== sealed.attempt)) done.adopting += 1;
}

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
  let files = someFiles(random);
  const backups = new Map<string, Record<string, string>>();
  for (let round = 0; round < 2; round += 1) {
    const { sealed } = await backUp(repository, { files, random, tuning, level: round });
    backups.set(sealed.backup, hashesOfFiles(files));
    await addNote(repository, sealed.backup, { note: { kind: 'pinned', reason: 'r' }, signal });
    files = changed(files, { at: 3, random });
  }
  files.set('late.ibd', someBytes(random, 14 * BLOCK));
  const dead = await startAttempt(repository, { backup: UNFINISHED, tuning });
  for (const pieces of piecesOf(files, random)) await dead.writer.write(pieces);
  await dead.writer.finish();
  return { objects: new Map([...storage.objects].map(([key, { bytes }]) => [key, bytes])), backups, files };
}

/** With one block of one file changed. */
function changed(
  files: ReadonlyMap<string, Buffer>,
  { at, random }: { readonly at: number; readonly random: () => number },
): Map<string, Buffer> {
  const bytes = Buffer.from(files.get('big.ibd') ?? '');
  someBytes(random, BLOCK).copy(bytes, at * BLOCK);
  return new Map(files).set('big.ibd', bytes);
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

function restored(objects: ReadonlyMap<string, Buffer>): MemoryStorage {
  const storage = new MemoryStorage();
  const modified = new Date(systemClock.now());
  for (const [key, bytes] of objects) storage.objects.set(key, { bytes, modified });
  return storage;
}

/**
 * Segments whose data may be wrong now and that a new backup may lean on all the same, as a block is known by its id in the index:
 * it need not restore, but its check must name one of them.
 */
async function suspectsOf(
  written: Written,
  { unlock, each }: { readonly unlock: Unlock | undefined; readonly each: Damage },
): Promise<string[]> {
  const names = damagedKeys([...written.objects.keys()], each)
    .map(segmentOfKey)
    .filter((name) => name !== undefined);
  if (each.kind === 'swap' || each.kind === 'copy') return names;
  const [name] = names;
  if (each.kind !== 'flip' || name === undefined) return [];
  const repository = await openRepository(restored(written.objects), { clock: systemClock, signal, unlock });
  return (await isOfData(repository, name, each.at)) ? [name] : [];
}

/** Does this byte belong to data, or to the header that data is decrypted by? The others are of nodes and of the footer. */
async function isOfData({ cipher, storage }: Repository, name: string, at: number): Promise<boolean> {
  const size = (await storage.get(segmentKey(name), { signal })).length;
  const place = at % size;
  const frames = (await readFooter({ name, size }, { cipher, storage, signal })).filter(({ kind }) => kind === 'data');
  const isIn = frames.some(
    ({ offset, bodyLength }) => place >= offset && place < offset + FRAME_HEADER_BYTES + bodyLength,
  );
  return isIn || place < OBJECT_HEADER_BYTES;
}

/** Restores and checks one backup. Throws when it restores to other files than its own. */
async function readWhole(
  repository: Repository,
  sealed: Sealed,
  backups: Written['backups'],
): Promise<{ readonly restores: boolean; readonly bad: readonly string[] | undefined }> {
  const restores = await orFailure(async () =>
    withDirectory(async (directory) => {
      const target = join(directory, 'files');
      await restoreFiles(repository, sealed, { directory: target, signal });
      expect(await hashesOf(target)).toEqual(backups.get(sealed.backup));
    }),
  );
  let bad: string[] | undefined;
  await orFailure(async () =>
    withDirectory(async (temporaryDirectory) => {
      const checked = await checkBackup(repository, sealed, { signal, readData: true, temporaryDirectory });
      bad = checked.bad.map(({ segment }) => segment);
    }),
  );
  return { restores, bad };
}

async function expectErrorOrFiles(
  storage: MemoryStorage,
  { written, unlock }: { written: Written; unlock: Unlock | undefined },
): Promise<void> {
  await orFailure(async () => {
    const repository = await openRepository(storage, { clock: systemClock, signal, unlock });
    for (const listed of await listBackups(repository, { signal })) {
      if (listed.state !== 'sealed') continue;
      const { restores, bad } = await readWhole(repository, listed.sealed, written.backups);
      if (!restores) expect(bad, `what the check of ${listed.backup} finds`).not.toEqual([]);
    }
  });
}

/** Did it succeed? Any other error than a Failure is one that nobody thought of. */
async function orFailure(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return false;
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
