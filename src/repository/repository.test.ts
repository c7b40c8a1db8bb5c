import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { type Files, randomSource, someBytes } from '../../tests/support/pieces.ts';
import { backUp, neverAborted } from '../../tests/support/repositories.ts';
import { checkBackup } from './check.ts';
import type { Sealed } from './documents.ts';
import { listBackups } from './list.ts';
import { initRepository, openRepository, type Repository } from './repository.ts';
import { restoreFiles } from './restore-files.ts';
import type { Unlock } from './slots.ts';

const signal = neverAborted;

function someFiles(random: () => number): Map<string, Buffer> {
  const sizes: Record<string, number> = {
    ibdata1: 3 << 20,
    'db/big.ibd': 9 << 20,
    'db/empty.ibd': 0,
    'db/small.frm': 300,
    'db/page.ibd': 16384,
    xtrabackup_info: 700,
    'odd/ünï cödé #sql.ibd': 40_000,
  };
  const files = new Map(Object.entries(sizes).map(([path, size]) => [path, someBytes(random, size)]));
  for (let table = 0; table < 150; table += 1) files.set(`many/t${table}.ibd`, someBytes(random, 1000 + table));
  files.set('zeros.ibd', Buffer.alloc(5 << 20));
  return files;
}

async function expectRestores(repository: Repository, sealed: Sealed, files: Files): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  try {
    await restoreFiles(repository, sealed, { directory, signal });
    const found = await readdir(directory, { recursive: true, withFileTypes: true });
    expect(found.filter((entry) => entry.isFile()).length).toBe(files.size);
    for (const [path, bytes] of files) expect((await readFile(join(directory, path))).equals(bytes), path).toBe(true);
  } finally {
    await rm(directory, { recursive: true });
  }
}

const ways: [string, Unlock | undefined][] = [
  ['in the open', undefined],
  ['with a passphrase', { kind: 'passphrase', passphrase: 'correct horse battery' }],
];

describe.each(ways)('a repository %s', (_name, unlock) => {
  test('restores what was backed up, and a second backup costs about what changed', async () => {
    const random = randomSource(7);
    const storage = new MemoryStorage();
    await initRepository(storage, { clock: systemClock, signal, conditionalPut: true, unlock, label: 'test' });
    const repository = await openRepository(storage, { clock: systemClock, signal, unlock });
    const files = someFiles(random);
    const first = await backUp(repository, { files, random });
    await expectRestores(repository, first.sealed, files);

    const changed = new Map(files);
    const big = Buffer.from(files.get('db/big.ibd') ?? '');
    someBytes(random, 16384).copy(big, 5 * 16384);
    changed.set('db/big.ibd', big);
    changed.delete('many/t7.ibd');
    changed.set('many/new.ibd', someBytes(random, 50_000));
    const second = await backUp(repository, { files: changed, random });
    expect(second.sealed.parent).toBe(first.sealed.backup);
    expect(second.sealed.storedBytes).toBeLessThan(first.sealed.storedBytes * 0.05);
    await expectRestores(repository, second.sealed, changed);
    await expectRestores(repository, first.sealed, files);

    const checked = await checkBackup(repository, second.sealed, {
      signal,
      readData: true,
      temporaryDirectory: tmpdir(),
    });
    expect(checked.bad).toEqual([]);
    const listed = await listBackups({ storage }, { signal });
    expect(listed.map(({ backup }) => backup)).toEqual([first.sealed.backup, second.sealed.backup]);
  });
});
