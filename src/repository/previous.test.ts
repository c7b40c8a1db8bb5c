import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { backUp, neverAborted } from '../../tests/support/repositories.ts';
import { checkBackup } from './check.ts';
import type { Sealed } from './documents.ts';
import { addNote } from './notes.ts';
import { indexKey } from './names.ts';
import { initRepository, openRepository, type Repository } from './repository.ts';
import { markDeleted } from './settle.ts';

const signal = neverAborted;

async function firstBackup(): Promise<{
  storage: MemoryStorage;
  repository: Repository;
  first: Sealed;
  files: Map<string, Buffer>;
}> {
  const storage = new MemoryStorage();
  const options = { clock: systemClock, signal, conditionalPut: true, unlock: undefined, label: '' };
  const repository = await initRepository(storage, options);
  const random = randomSource(3);
  const files = new Map(['a', 'b', 'c'].map((path) => [path, someBytes(random, 2 << 20)]));
  const { sealed } = await backUp(repository, { files, random });
  return { storage, repository, first: sealed, files };
}

function segments(storage: MemoryStorage): string[] {
  return [...storage.objects.keys()].filter((key) => key.endsWith('.segment')).toSorted();
}

describe('a new backup', () => {
  const random = randomSource(4);

  test('leans on the newest sealed one of its lineage', async () => {
    const { repository, first, files } = await firstBackup();
    const second = await backUp(repository, { files, random });
    expect(second.sealed.parent).toBe(first.backup);
    expect(second.sealed.storedBytes).toBeLessThan(first.storedBytes / 50);
    const other = await backUp(repository, { files, random, lineage: 'lineage-b' });
    expect(other.sealed.parent).toBeUndefined();
    await markDeleted(repository, first.backup, { reason: 'r', signal });
    await markDeleted(repository, second.sealed.backup, { reason: 'r', signal });
    expect((await backUp(repository, { files, random })).sealed.parent).toBeUndefined();
  });

  test('finds it behind many of other lineages', async () => {
    const { repository, files } = await firstBackup();
    const second = await backUp(repository, { files, random });
    for (let more = 0; more < 20; more += 1) await backUp(repository, { files, random, lineage: 'lineage-b' });
    const third = await backUp(repository, { files, random });
    expect(third.sealed.parent).toBe(second.sealed.backup);
  });

  test('leans on nothing where the index of the last one is lost', async () => {
    const { storage, repository, first, files } = await firstBackup();
    storage.objects.delete(indexKey(first));
    const { sealed } = await backUp(repository, { files, random });
    expect(sealed.parent).toBeUndefined();
    expect(
      (await checkBackup(repository, sealed, { signal, readData: true, temporaryDirectory: tmpdir() })).bad,
    ).toEqual([]);
  });

  test.each(['is missing', 'was noted bad'])('uploads again what is in a segment that %s', async (how) => {
    const { storage, repository, first, files } = await firstBackup();
    const [key = ''] = segments(storage);
    const name = key.slice('backups/'.length, -'.segment'.length);
    const damaged = storage.objects.get(key);
    if (how === 'is missing') storage.objects.delete(key);
    else await addNote(repository, first.backup, { note: { kind: 'bad-segment', segment: name, reason: 'r' }, signal });
    damaged?.bytes.fill(0);
    const { sealed } = await backUp(repository, { files, random });
    const checked = await checkBackup(repository, sealed, { signal, readData: true, temporaryDirectory: tmpdir() });
    expect(checked.bad).toEqual([]);
    expect(sealed.storedBytes).toBeLessThan(first.storedBytes / 2);
  });
});

test('a key is refused where the repository says that nothing is encrypted', async () => {
  const { storage } = await firstBackup();
  const unlock = { kind: 'passphrase', passphrase: 'a good passphrase' } as const;
  await expect(openRepository(storage, { clock: systemClock, signal, unlock })).rejects.toMatchObject({
    code: 'not-encrypted',
  });
});
