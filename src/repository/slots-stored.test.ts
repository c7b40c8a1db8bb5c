import { expect, test } from 'vitest';
import { neverAborted as signal } from '../../tests/support/repositories.ts';
import { systemClock } from '../lib/clock.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { slotKey } from './names.ts';
import { addSlot, initRepository, openRepository, removeSlot } from './repository.ts';
import type { Unlock } from './slots.ts';
import { readSlots } from './slots-stored.ts';

const mine: Unlock = { kind: 'key-file', bytes: Buffer.alloc(32, 1) };
const yours: Unlock = { kind: 'key-file', bytes: Buffer.alloc(32, 2) };
const clock = systemClock;

/** A repository with two ways in, and the names of their slots. */
async function twoWaysIn(): Promise<{ storage: MemoryStorage; slots: Record<'mine' | 'yours', string> }> {
  const storage = new MemoryStorage();
  await initRepository(storage, { clock, signal, conditionalPut: true, unlock: mine, label: 'mine' });
  const [first] = (await readSlots(storage, signal)).slots;
  const request = { known: mine, added: yours, label: 'yours', createdAt: '2026-11-21T01:00:00.000Z' };
  const { slot } = await addSlot(storage, request, signal);
  return { storage, slots: { mine: first?.slot ?? '', yours: slot } };
}

const damages: Record<string, (bytes: Buffer) => Buffer> = {
  'is no JSON': () => Buffer.from('{'),
  'is empty': () => Buffer.alloc(0),
  'has a salt of half the length': (bytes) => Buffer.from(bytes.toString().replace(/("salt":\s*"\w{32})\w{32}/, '$1')),
  'is larger than any document': () => Buffer.alloc((1 << 20) + 1, ' '),
};

test.each(Object.entries(damages))('a slot that %s keeps nobody out who has another', async (_name, damage) => {
  const { storage, slots } = await twoWaysIn();
  const object = storage.objects.get(slotKey(slots.yours));
  if (!object) throw new Error('no slot');
  object.bytes = damage(object.bytes);
  await openRepository(storage, { clock, signal, unlock: mine });
  const found = await readSlots(storage, signal);
  expect(found.slots.map(({ slot }) => slot)).toEqual([slots.mine]);
  expect(found.damaged).toMatchObject([{ slot: slots.yours, cause: { code: 'repository-damaged' } }]);
  await expect(openRepository(storage, { clock, signal, unlock: yours })).rejects.toMatchObject({
    name: 'CorruptData',
    message: expect.stringContaining(slotKey(slots.yours)),
    nextStep: expect.any(String),
  });
  // The last way in stays; the damaged one may go, and is no reason to doubt a key any more.
  await expect(removeSlot(storage, slots.mine, signal)).rejects.toMatchObject({ code: 'last-slot' });
  await removeSlot(storage, slots.yours, signal);
  await expect(openRepository(storage, { clock, signal, unlock: yours })).rejects.toMatchObject({ code: 'wrong-key' });
});

test('a slot whose cost is impossible is passed over', async () => {
  const { storage, slots } = await twoWaysIn();
  const passphrase: Unlock = { kind: 'passphrase', passphrase: 'correct horse battery' };
  const request = { known: mine, added: passphrase, label: 'third', createdAt: '2026-11-21T01:00:00.000Z' };
  const third = await addSlot(storage, request, signal);
  for (const name of [slots.yours, third.slot]) {
    const object = storage.objects.get(slotKey(name));
    if (object) object.bytes = Buffer.from(object.bytes.toString().replace(/(?<="n":\s*)65536/, '65535'));
  }
  await openRepository(storage, { clock, signal, unlock: yours });
  await expect(openRepository(storage, { clock, signal, unlock: passphrase })).rejects.toMatchObject({
    code: 'repository-damaged',
    message: expect.stringContaining(third.slot),
  });
});

/** Two that are made at once: one begins when the other has seen an empty folder, and has made its slot. */
async function racing(ignoreIfAbsent: boolean, between: 'slot' | 'repository.json'): Promise<MemoryStorage> {
  const conditionalPut = !ignoreIfAbsent;
  let isFirst = true;
  const storage: MemoryStorage = new MemoryStorage({
    ignoreIfAbsent,
    after: async ({ verb, key }) => {
      if (verb !== 'put' || !isFirst || key.startsWith('keys/') !== (between === 'slot')) return;
      isFirst = false;
      const stranger = new MemoryStorage({ ignoreIfAbsent });
      await initRepository(stranger, { clock, signal, conditionalPut, unlock: yours, label: 'yours' });
      for (const [name, { bytes }] of stranger.objects) await storage.put(name, bytes, { ifAbsent: true });
    },
  });
  const mineMade = initRepository(storage, { clock, signal, conditionalPut, unlock: mine, label: 'mine' });
  await expect(mineMade).rejects.toMatchObject({ code: 'repository-exists', nextStep: expect.any(String) });
  return storage;
}

test.each([
  ['keeps "if absent"', false, 'slot'],
  ['ignores "if absent"', true, 'slot'],
  ['ignores "if absent"', true, 'repository.json'],
] as const)(
  'who loses the race for a folder of a store that %s (%s, %s) is told, and leaves no slot',
  async (_how, ignores, at) => {
    const storage = await racing(ignores, at);
    const { slots } = await readSlots(storage, signal);
    expect(slots.map(({ label }) => label)).toEqual(['yours']);
    await openRepository(storage, { clock, signal, unlock: yours });
  },
);

test('the last way in stays, whatever slots of another key lie beside it', async () => {
  const { storage, slots } = await twoWaysIn();
  const stranger = await twoWaysIn();
  const orphan = [...stranger.storage.objects].find(([key]) => key === slotKey(stranger.slots.mine));
  if (!orphan) throw new Error('no slot');
  await storage.put(orphan[0], orphan[1].bytes);
  await removeSlot(storage, slots.yours, signal);
  await expect(removeSlot(storage, slots.mine, signal)).rejects.toMatchObject({ code: 'last-slot' });
  await removeSlot(storage, stranger.slots.mine, signal);
  await openRepository(storage, { clock, signal, unlock: mine });
});
