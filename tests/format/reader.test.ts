import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { sealKey } from '../../src/repository/names.ts';
import { addNote } from '../../src/repository/notes.ts';
import { initRepository, type Repository } from '../../src/repository/repository.ts';
import { markDeleted } from '../../src/repository/settle.ts';
import type { Unlock } from '../../src/repository/slots.ts';
import { DirectoryStorage, prepareDirectory } from '../../src/storage/directory.ts';
import { type Files, randomSource, someBytes } from '../support/pieces.ts';
import { backUp, neverAborted } from '../support/repositories.ts';
import { hashesOf, hashesOfFiles, runReader, withDirectory } from './directories.ts';

const signal = neverAborted;
const BLOCK = 16_384;

interface Way {
  readonly name: string;
  readonly unlock: Unlock | undefined;
  readonly option: string;
  readonly secret: Buffer;
}

const ways: Way[] = [
  { name: 'in the open', unlock: undefined, option: '', secret: Buffer.alloc(0) },
  {
    name: 'with a passphrase',
    unlock: { kind: 'passphrase', passphrase: 'plus ça change, ½' },
    option: '--passphrase-file',
    secret: Buffer.from('plus ça change, ½\n'),
  },
  {
    name: 'with a key file',
    unlock: { kind: 'key-file', bytes: Buffer.alloc(40, 7) },
    option: '--key-file',
    secret: Buffer.alloc(40, 7),
  },
];

describe.each(ways)('a repository $name', ({ unlock, option, secret }) => {
  test('is read by the independent reader', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    await withDirectory(async (directory) => {
      const folder = join(directory, 'repository');
      const secretFile = join(directory, 'secret');
      await writeFile(secretFile, secret);
      const given = option === '' ? [folder] : [option, secretFile, folder];
      const backups = await writeSome(folder, { seed, unlock });
      const seals = (await runReader([...given, 'list']))
        .trim()
        .split('\n')
        .map((line) => backupOf(line));
      expect(seals, `seed ${seed}`).toEqual(backups.map(({ backup }) => backup));
      for (const { backup, files } of backups) {
        const target = join(directory, backup);
        await runReader([...given, 'restore', backup, target]);
        expect(await hashesOf(target), `seed ${seed}`).toEqual(hashesOfFiles(files));
      }
    });
  });
});

test('the independent reader refuses a wrong passphrase, and a key where nothing is encrypted', async () => {
  await withDirectory(async (directory) => {
    const secretFile = join(directory, 'secret');
    await writeFile(secretFile, 'not the right one\n');
    for (const [name, unlock] of [
      ['open', undefined],
      ['closed', { kind: 'passphrase', passphrase: 'the right one' }],
    ] as const) {
      await writeSome(join(directory, name), { seed: 1, unlock });
      await expect(runReader(['--passphrase-file', secretFile, join(directory, name), 'list'])).rejects.toThrow(
        name === 'open' ? /not encrypted/ : /no key slot fits/,
      );
    }
  });
});

test.each([
  ['in the open', undefined, /is not what was written/],
  ['with a key file', { kind: 'key-file', bytes: Buffer.alloc(40, 7) }, /is not what was written with this key/],
] as const)('the independent reader refuses a seal of which a digit changed, %s', async (_how, unlock, refusal) => {
  await withDirectory(async (directory) => {
    const [folder, secretFile] = [join(directory, 'repository'), join(directory, 'secret')];
    await writeFile(secretFile, Buffer.alloc(40, 7));
    const [first] = await writeSome(folder, { seed: 1, unlock });
    const seal = join(folder, sealKey(first?.backup ?? ''));
    const written = await readFile(seal, 'utf8');
    await writeFile(seal, written.replace('"gtid": "0-1-2"', '"gtid": "0-1-3"'));
    const given = unlock ? ['--key-file', secretFile, folder] : [folder];
    await expect(runReader([...given, 'list'])).rejects.toThrow(refusal);
    await writeFile(seal, written);
    await runReader([...given, 'list']);
  });
});

async function writeSome(
  folder: string,
  { seed, unlock }: { seed: number; unlock: Unlock | undefined },
): Promise<{ backup: string; files: Files }[]> {
  const random = randomSource(seed);
  await prepareDirectory(folder);
  const storage = new DirectoryStorage(folder);
  const repository = await initRepository(storage, {
    clock: systemClock,
    signal,
    conditionalPut: true,
    unlock,
    label: 'test',
  });
  const files = someFiles(random);
  const written: { backup: string; files: Files }[] = [];
  for (let round = 0; round < 3; round += 1) {
    const { sealed } = await backUp(repository, { files, random, level: round });
    written.push({ backup: sealed.backup, files: new Map(files) });
    change(files, random);
  }
  await annotate(repository, written);
  return [...written.slice(0, 1), ...written.slice(2)];
}

/** A note with letters of several kinds in it; and the backup in the middle is deleted. */
async function annotate(repository: Repository, written: readonly { backup: string }[]): Promise<void> {
  const [first, second] = written;
  if (!first || !second) throw new RangeError('too few backups');
  const note = { kind: 'pinned', reason: 'before "the" \\ move \u0001 to Zürich ½ 𝄞\n' } as const;
  await addNote(repository, first.backup, { note, signal });
  await markDeleted(repository, second.backup, { reason: 'not needed', signal });
}

/** Sizes around those of blocks, leaves and trees, zeros, and enough files for several pages. */
function someFiles(random: () => number): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const sizes = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 256 * BLOCK, 256 * BLOCK + 1, Math.floor(random() * 3_000_000)];
  for (const size of sizes) files.set(`db/size ${size}.ibd`, someBytes(random, size));
  files.set('zeros', Buffer.alloc(300 * BLOCK + 5));
  files.set('schéma/表.ibd', someBytes(random, 50_000));
  for (let table = 0; table < 400; table += 1) files.set(`many/t${Math.floor(random() * 1e6)}`, someBytes(random, 64));
  return files;
}

function change(files: Map<string, Buffer>, random: () => number): void {
  for (const [path, bytes] of Array.from(files)) {
    if (random() < 0.05) files.delete(path);
    else if (random() < 0.3 && bytes.length > 0) {
      const changed = Buffer.from(bytes);
      changed[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      files.set(path, changed);
    }
  }
  files.set(`new ${Math.floor(random() * 1e6)}`, someBytes(random, 100_000));
}

function backupOf(line: string): string {
  const listed: unknown = JSON.parse(line);
  const found = /"backup":"([^"]+)"/.exec(JSON.stringify(listed));
  return found?.[1] ?? '';
}
