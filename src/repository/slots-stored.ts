import { CorruptData } from '../lib/failure.ts';
import { ObjectNotFound, type Storage } from '../storage/storage.ts';
import { decodeDocument } from './documents.ts';
import { KEYS, slotKey } from './names.ts';
import { readDocument } from './read-object.ts';
import { openSlot, type Slot, slotSchema, type Unlock, wrongKey } from './slots.ts';

/** A key slot that makes no sense. The other ones are ways in all the same. */
export interface DamagedSlot {
  readonly slot: string;
  readonly cause: CorruptData;
}

export interface StoredSlots {
  readonly slots: readonly Slot[];
  readonly damaged: readonly DamagedSlot[];
}

export async function readSlots(storage: Storage, signal: AbortSignal): Promise<StoredSlots> {
  const [slots, damaged]: [Slot[], DamagedSlot[]] = [[], []];
  for await (const { key } of storage.list(KEYS, { signal })) {
    try {
      const bytes = await readDocument(storage, key, signal);
      slots.push(decodeDocument(bytes, { schema: slotSchema, cipher: undefined, key }));
    } catch (error) {
      if (error instanceof CorruptData) damaged.push({ slot: nameOf(key), cause: error });
      // Somebody removed it since it was listed.
      else if (!(error instanceof ObjectNotFound)) throw error;
    }
  }
  return { slots, damaged };
}

/** @returns the repository key. Throws PermanentFailure `wrong-key`, or CorruptData where a damaged slot may be the one. */
export async function unlockRepository(stored: StoredSlots, unlock: Unlock, keyId: string): Promise<Buffer> {
  const damaged = [...stored.damaged];
  for (const slot of stored.slots) {
    if (slot.keyId !== keyId) continue;
    try {
      const key = await openSlot(slot, unlock);
      if (key) return key;
    } catch (error) {
      if (!(error instanceof CorruptData)) throw error;
      damaged.push({ slot: slot.slot, cause: error });
    }
  }
  const denied = wrongKey(unlock, stored.slots.length);
  throw damaged.length === 0 ? denied : lockedByDamage(denied, damaged);
}

function lockedByDamage(denied: Error, damaged: readonly DamagedSlot[]): CorruptData {
  const keys = damaged.map(({ slot }) => slotKey(slot)).join(', ');
  return new CorruptData('repository-damaged', `${denied.message}, and others are damaged: ${keys}`, {
    cause: damaged[0]?.cause,
    evidence: damaged.map(({ cause }) => cause.message),
    nextStep: 'Use another passphrase or key file of this repository, or bring those objects back from a copy of it.',
  });
}

function nameOf(key: string): string {
  return key.slice(KEYS.length).replace(/\.json$/, '');
}
