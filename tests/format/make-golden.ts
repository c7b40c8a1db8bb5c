import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isoTime, systemClock } from '../../src/lib/clock.ts';
import { addNote } from '../../src/repository/notes.ts';
import { addSlot, initRepository, type Repository } from '../../src/repository/repository.ts';
import { markDeleted, voidBackup } from '../../src/repository/settle.ts';
import type { Unlock } from '../../src/repository/slots.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { randomSource, someBytes } from '../support/pieces.ts';
import { backUp, neverAborted, startAttempt } from '../support/repositories.ts';
import { hashesOfFiles } from './directories.ts';

/**
 * Makes the golden repositories of the current format: `node tests/format/make-golden.ts <name>…`. Those of a released format
 * are never made again: every later version must still read them.
 */

const signal = neverAborted;
const BLOCK = 16_384;
const PASSPHRASE = 'golden until the end';
const KEY_FILE = Buffer.from('a key file of thirty-two bytes or more');
const IDS = ['20261121T014327Z-9f3a21bc', '20261122T014327Z-00000001', '20261123T014327Z-ffffffff'];
const VOID_ID = '20261124T014327Z-0badcafe';

if (import.meta.main) {
  for (const name of process.argv.slice(2)) {
    const folder = new URL(`golden/${name}`, import.meta.url).pathname;
    await rm(folder, { recursive: true, force: true });
    await makeGolden(folder);
  }
}

/** @param folder a new one; the end of its name says which: `…-plain`, `…-encrypted` or `…-example`. */
export async function makeGolden(folder: string): Promise<void> {
  await mkdir(join(folder, 'repository'), { recursive: true });
  const unlock: Unlock | undefined = folder.endsWith('encrypted')
    ? { kind: 'passphrase', passphrase: PASSPHRASE }
    : undefined;
  const storage = new DirectoryStorage(join(folder, 'repository'));
  const options = { clock: systemClock, signal, conditionalPut: true, unlock, label: 'golden' };
  const repository = await initRepository(storage, options);
  if (unlock) {
    const added = { kind: 'key-file', bytes: KEY_FILE } as const;
    const createdAt = isoTime(systemClock.now());
    await addSlot(storage, { known: unlock, added, label: 'golden too', createdAt }, signal);
  }
  const files = await (folder.endsWith('example') ? writeExample(repository) : writeBackups(repository));
  const secrets = unlock ? { passphrase: PASSPHRASE, keyFile: KEY_FILE.toString('utf8') } : {};
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify({ ...secrets, backups: files }, undefined, 2)}\n`);
  await rm(join(folder, 'repository', '.incoming'), { recursive: true, force: true });
}

async function writeExample(repository: Repository): Promise<Record<string, Record<string, string>>> {
  const files = new Map([
    ['hello', Buffer.from('hello, world\n')],
    ['empty', Buffer.alloc(0)],
  ]);
  const [backup = ''] = IDS;
  await backUp(repository, { backup, files, random: randomSource(1) });
  return { [backup]: hashesOfFiles(files) };
}

async function writeBackups(repository: Repository): Promise<Record<string, Record<string, string>>> {
  const random = randomSource(20_261_121);
  const files = new Map([
    ['ibdata1', someBytes(random, 3 * BLOCK)],
    ['db/tall.ibd', Buffer.alloc(300 * BLOCK)],
    ['db/short.frm', someBytes(random, 300)],
    ['db/empty.ibd', Buffer.alloc(0)],
    ['schéma/#sql½.ibd', someBytes(random, BLOCK + 1)],
  ]);
  for (let table = 0; table < 80; table += 1) files.set(`many/t${table}.ibd`, someBytes(random, 20 + table));
  const tuning = { segmentBytes: 64 << 10, frameBytes: 32 << 10, compressions: 2, uploads: 2 };
  const hashes: Record<string, Record<string, string>> = {};
  for (const [round, backup] of IDS.entries()) {
    const tall = Buffer.from(files.get('db/tall.ibd') ?? '');
    someBytes(random, 1000).copy(tall, (round * 130 + 7) * BLOCK + 20);
    files.set('db/tall.ibd', tall).delete(`many/t${round}.ibd`);
    const { sealed } = await backUp(repository, { backup, files, random, tuning, level: 3 * round });
    hashes[sealed.backup] = hashesOfFiles(files);
  }
  const [first = '', second = '', third = ''] = IDS;
  await addNote(repository, first, { note: { kind: 'checked', bytes: 123, blocks: 4 }, signal });
  await addNote(repository, third, { note: { kind: 'pinned', reason: 'before the move to Zürich' }, signal });
  await markDeleted(repository, second, { reason: 'golden', signal });
  const dead = await startAttempt(repository, { backup: VOID_ID, tuning });
  await dead.writer.write([{ type: 'data', path: 'a', offset: 0, bytes: someBytes(random, 5000) }]);
  await dead.writer.write([{ type: 'end', path: 'a', size: 5000 }]);
  await dead.writer.finish();
  await voidBackup(repository, VOID_ID, { reason: 'golden', signal });
  return { [first]: hashes[first] ?? {}, [third]: hashes[third] ?? {} };
}
