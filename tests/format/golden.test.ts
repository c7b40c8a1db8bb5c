import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { systemClock } from '../../src/lib/clock.ts';
import { checkBackup } from '../../src/repository/check.ts';
import { listBackups } from '../../src/repository/list.ts';
import { readLog } from '../../src/repository/read-log.ts';
import { openRepository, type Repository } from '../../src/repository/repository.ts';
import { restoreFiles } from '../../src/repository/restore-files.ts';
import type { Unlock } from '../../src/repository/slots.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { neverAborted } from '../support/repositories.ts';
import { hashesOf, runReader, withDirectory } from './directories.ts';
import { makeGolden } from './make-golden.ts';

/** Repositories that earlier versions wrote: every later one must read them. Made once by make-golden.ts, never changed. */

const signal = neverAborted;
const GOLDEN = new URL('golden/', import.meta.url).pathname;
const manifestSchema = z.object({
  passphrase: z.string().optional(),
  keyFile: z.string().optional(),
  backups: z.record(z.string(), z.record(z.string(), z.string())),
});

describe.each(await readdir(GOLDEN))('the golden repository %s', (name) => {
  const golden = join(GOLDEN, name);

  test('lists, checks and restores what it held', async () => {
    await withDirectory(async (directory) => {
      await cp(golden, directory, { recursive: true });
      await expectReads(directory);
      expect(await hashesOf(directory), 'nothing is changed by reading').toEqual(await hashesOf(golden));
    });
  });

  test('restores with the independent reader', async () => expectReaderReads(golden));
});

test.each(['now-plain', 'now-encrypted'])('what this version writes is read likewise: %s', async (name) => {
  await withDirectory(async (directory) => {
    await makeGolden(join(directory, name));
    await expectReads(join(directory, name));
    await expectReaderReads(join(directory, name));
  });
});

async function readManifest(folder: string): Promise<z.infer<typeof manifestSchema>> {
  return manifestSchema.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
}

async function expectReads(folder: string): Promise<void> {
  const manifest = await readManifest(folder);
  for (const unlock of unlocksOf(manifest)) {
    const storage = new DirectoryStorage(join(folder, 'repository'));
    const repository = await openRepository(storage, { clock: systemClock, signal, unlock });
    await expectHolds(repository, manifest.backups);
  }
}

async function expectReaderReads(folder: string): Promise<void> {
  const manifest = await readManifest(folder);
  await withDirectory(async (directory) => {
    const secretFile = join(directory, 'secret');
    await writeFile(secretFile, manifest.passphrase ?? '');
    const key = manifest.passphrase === undefined ? [] : ['--passphrase-file', secretFile];
    for (const [backup, hashes] of Object.entries(manifest.backups)) {
      const target = join(directory, backup);
      await runReader([...key, join(folder, 'repository'), 'restore', backup, target]);
      expect(await hashesOf(target)).toEqual(hashes);
    }
  });
}

function unlocksOf({ passphrase, keyFile }: z.infer<typeof manifestSchema>): (Unlock | undefined)[] {
  if (passphrase === undefined || keyFile === undefined) return [undefined];
  return [
    { kind: 'passphrase', passphrase },
    { kind: 'key-file', bytes: Buffer.from(keyFile) },
  ];
}

async function expectHolds(repository: Repository, backups: Record<string, Record<string, string>>): Promise<void> {
  const listed = await listBackups(repository, { signal });
  expect(listed.map(({ backup, state }) => [backup, state])).toEqual(Object.keys(backups).map((id) => [id, 'sealed']));
  for (const found of listed) {
    if (found.state !== 'sealed') continue;
    await withDirectory(async (directory) => {
      const { sealed, backup } = found;
      await restoreFiles(repository, sealed, { directory: join(directory, 'files'), signal });
      expect(await hashesOf(join(directory, 'files'))).toEqual(backups[backup]);
      const checked = await checkBackup(repository, sealed, { signal, readData: true, temporaryDirectory: directory });
      expect(checked.bad).toEqual([]);
      expect(await readLog(repository, sealed, signal)).toBe('completed OK!\n');
    });
  }
}
