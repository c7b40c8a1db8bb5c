import { expect, test } from 'vitest';
import { randomSource, someBytes } from '../../tests/support/pieces.ts';
import { backUp, neverAborted as signal, someFields } from '../../tests/support/repositories.ts';
import { systemClock } from '../lib/clock.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { listBackups } from './list.ts';
import { sealKey } from './names.ts';
import { addNote } from './notes.ts';
import { initRepository, type Repository } from './repository.ts';
import { seal } from './settle.ts';

const random = randomSource(1);
const files = new Map([['a', someBytes(random, 50_000)]]);

async function newRepository(storage: MemoryStorage): Promise<Repository> {
  const unlock = { kind: 'key-file', bytes: Buffer.alloc(32, 5) } as const;
  return initRepository(storage, { clock: systemClock, signal, conditionalPut: true, unlock, label: '' });
}

const damages: Record<string, (bytes: Buffer) => Buffer> = {
  'is cut short': (bytes) => bytes.subarray(0, 40),
  'is empty': () => Buffer.alloc(0),
  'has another digit': (bytes) => Buffer.from(bytes.toString().replace(/(?<="\w*[aA]t": "2)0/, '1')),
  'is larger than any document': () => Buffer.alloc((1 << 20) + 1, ' '),
};

test.each(
  Object.entries(damages).flatMap(([how, damage]) =>
    ['seals/', 'notes/'].map((where) => [where, how, damage] as const),
  ),
)('one backup of which what lies below %s %s is told as damaged, and hides no other', async (where, _how, damage) => {
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  const bad = await backUp(repository, { files, random });
  const good = await backUp(repository, { files, random });
  const note = { kind: 'checked', bytes: 1, blocks: 1 } as const;
  await addNote(repository, bad.sealed.backup, { note, signal });
  const found = [...storage.objects].find(([key]) => key.startsWith(`${where}${bad.sealed.backup}`));
  if (!found) throw new Error('no document');
  found[1].bytes = damage(found[1].bytes);
  expect(await listBackups(repository, { signal })).toMatchObject([
    { backup: bad.sealed.backup, state: 'damaged', reason: expect.stringContaining(found[0]) },
    { backup: good.sealed.backup, state: 'sealed' },
  ]);
});

test('a seal that nobody could read is not stored', async () => {
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  const { sealed } = await backUp(repository, { files, random });
  const backup = '20261122T000000Z-00000000';
  const tooLarge = { ...sealed, ...someFields, source: sealed.source, backup, gtid: 'x'.repeat(1 << 20) };
  await expect(seal(repository, tooLarge, signal)).rejects.toMatchObject({
    code: 'document-too-large',
    nextStep: expect.any(String),
  });
  expect(storage.objects.has(sealKey(backup))).toBe(false);
});
