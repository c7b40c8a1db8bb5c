import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import type { Sealed } from '../../src/repository/documents.ts';
import { exportFiles } from '../../src/repository/export-files.ts';
import { prune } from '../../src/repository/prune.ts';
import { initRepository, type Repository } from '../../src/repository/repository.ts';
import { markDeleted } from '../../src/repository/settle.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { type Files, piecesOf, randomSource, someBytes } from '../support/pieces.ts';
import { backUp, neverAborted, nextBackupId, startAttempt } from '../support/repositories.ts';

const signal = neverAborted;
const BLOCK = 16_384;
const DAY = 24 * 3600_000;

class Killed extends Error {
  override name = 'Killed';
}

async function newRepository(storage: MemoryStorage): Promise<Repository> {
  return initRepository(storage, { clock: systemClock, signal, conditionalPut: true, unlock: undefined, label: '' });
}

async function expectRestores(repository: Repository, sealed: Sealed, files: Files): Promise<void> {
  const parts = new Map<string, Uint8Array[]>();
  for await (const piece of exportFiles(repository, sealed, signal)) {
    const found = parts.get(piece.path) ?? [];
    if (piece.type === 'data') found.push(piece.bytes);
    parts.set(piece.path, found);
  }
  expect([...parts.keys()].toSorted()).toEqual([...files.keys()].toSorted());
  for (const [path, bytes] of files) expect(Buffer.concat(parts.get(path) ?? []).equals(bytes), path).toBe(true);
}

describe('an attempt that died', () => {
  /** One large file of 12 leaves of 4 MiB: what is lost is at most the leaf that was not written yet, and what was on its way. */
  const files: Files = new Map([['big.ibd', someBytes(randomSource(11), 48 << 20)]]);

  test.each([4, 9, 16])('after %i puts leaves what the next one adopts', async (puts) => {
    let left = Number.POSITIVE_INFINITY;
    const storage = new MemoryStorage({
      before: ({ verb }) => {
        if (verb !== 'put') return;
        left -= 1;
        if (left < 0) throw new Killed('killed');
      },
    });
    const repository = await newRepository(storage);
    const random = randomSource(puts);
    const backup = nextBackupId();
    left = puts;
    await expect(backUp(repository, { backup, files, random })).rejects.toThrow(Killed);
    left = Number.POSITIVE_INFINITY;
    const uploaded = sizeOf(storage, 'backups/');
    const { sealed } = await backUp(repository, { backup, files, random });
    const whole = await backUp(repository, { files, random, lineage: 'another' });
    // Two segments were on their way, and a leaf of each open file was not yet written.
    expect(sealed.storedBytes).toBeLessThan(whole.sealed.storedBytes - uploaded + (6 << 20));
    await expectRestores(repository, sealed, files);
  });

  test('after its last segment leaves almost nothing to do', async () => {
    const storage = new MemoryStorage();
    const repository = await newRepository(storage);
    const random = randomSource(5);
    const backup = nextBackupId();
    const dead = await startAttempt(repository, { backup });
    for (const pieces of piecesOf(files, random)) await dead.writer.write(pieces);
    const written = await dead.writer.finish();
    const { sealed } = await backUp(repository, { backup, files, random });
    expect(sealed.storedBytes).toBeLessThan(written.storedBytes * 0.02);
    await expectRestores(repository, sealed, files);
  });
});

test('a repository stays compact: 90 backups, 7 kept', async () => {
  let now = 1_800_000_000_000;
  const clock = { ...systemClock, now: () => now };
  const storage = new MemoryStorage({ clock });
  const repository = { ...(await newRepository(storage)), clock };
  const random = randomSource(90);
  const files = new Map(Array.from({ length: 4 }, (_, number) => [`t${number}.ibd`, someBytes(random, 60 * BLOCK)]));
  const kept: { sealed: Sealed; files: Files }[] = [];
  let first = 0;
  for (let day = 0; day < 90; day += 1) {
    const { sealed } = await backUp(repository, { files, random });
    if (day === 0) first = sizeOf(storage, 'backups/');
    kept.push({ sealed, files: new Map(files) });
    scatter(files, random);
    now += DAY;
    for (const { sealed: old } of kept.splice(0, kept.length - 7)) {
      await markDeleted(repository, old.backup, { reason: 'seven are kept', signal });
    }
    await prune(repository, { signal, isDryRun: false });
  }
  expect(sizeOf(storage, 'backups/') / first).toBeLessThan(2);
  for (const each of kept) await expectRestores(repository, each.sealed, each.files);
});

/** About 1 % of the pages change, anywhere. */
function scatter(files: Map<string, Buffer>, random: () => number): void {
  for (const [path, bytes] of Array.from(files)) {
    const changed = Buffer.from(bytes);
    for (let block = 0; block < bytes.length / BLOCK; block += 1) {
      if (random() < 0.01) someBytes(random, BLOCK).copy(changed, block * BLOCK);
    }
    files.set(path, changed);
  }
}

function sizeOf(storage: MemoryStorage, prefix: string): number {
  const sizes = [...storage.objects].map(([key, { bytes }]) => (key.startsWith(prefix) ? bytes.length : 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}
