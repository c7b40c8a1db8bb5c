import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { type Clock, isoTime } from '../lib/clock.ts';
import { Conflict, InvalidRequest, PermanentFailure } from '../lib/failure.ts';
import { ObjectNotFound, type Storage } from '../storage/storage.ts';
import { type Cipher, keyedCipher, newRepositoryKey, openCipher } from './cipher.ts';
import { damagedObject, decodeDocument, encodeDocument } from './documents.ts';
import { REPOSITORY_KEY, slotKey } from './names.ts';
import { readDocument, readDocumentIfThere } from './read-object.ts';
import { createSlot, type Slot, type Unlock } from './slots.ts';
import { readSlots, unlockRepository } from './slots-stored.ts';

export const FORMAT_VERSION = 1;

const repositorySchema = z.object({
  format: z.int(),
  repository: z.string().regex(/^[0-9a-f]{32}$/),
  createdAt: z.iso.datetime(),
  /** Undefined when nothing is encrypted. */
  keyId: z.string().optional(),
  /** Does the store keep "if absent"? Found by a probe when the repository was made. */
  conditionalPut: z.boolean(),
});
export type RepositoryFacts = z.infer<typeof repositorySchema>;

/** An open repository: where it is and how its bytes are read. */
export interface Repository {
  readonly storage: Storage;
  readonly cipher: Cipher;
  readonly facts: RepositoryFacts;
  readonly clock: Clock;
}

export interface InitOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly conditionalPut: boolean;
  readonly unlock: Unlock | undefined;
  readonly label: string;
}

/**
 * Makes a repository in an empty folder. Throws Conflict where one is already, or where somebody else makes one at the same
 * time: what is read back decides, as a store that ignores "if absent" lets the later one overwrite the earlier.
 */
export async function initRepository(storage: Storage, options: InitOptions): Promise<Repository> {
  const { clock, signal, unlock, label, conditionalPut } = options;
  await refuseExisting(storage, signal);
  const createdAt = isoTime(clock.now());
  const facts: RepositoryFacts = {
    format: FORMAT_VERSION,
    repository: randomBytes(16).toString('hex'),
    createdAt,
    conditionalPut,
  };
  const key = unlock && newRepositoryKey();
  const cipher = key ? keyedCipher(key) : openCipher;
  const slot = key && unlock && (await createSlot(key, unlock, { label, createdAt }));
  if (slot) await putSlot(storage, slot, signal);
  const complete: RepositoryFacts = cipher.keyId === undefined ? facts : { ...facts, keyId: cipher.keyId };
  const bytes = encodeDocument(complete, { cipher: openCipher, key: REPOSITORY_KEY });
  // Making the slot takes a while, in which somebody else may have made theirs.
  if (!(await readDocumentIfThere(storage, REPOSITORY_KEY, signal)))
    await storage.put(REPOSITORY_KEY, bytes, { ifAbsent: true, signal });
  const found = await readFacts(storage, signal);
  if (found.repository !== facts.repository) {
    // It wraps a key that opens nothing.
    if (slot) await storage.delete([slotKey(slot.slot)], { signal });
    throw alreadyThere(storage);
  }
  return { storage, cipher, facts: found, clock };
}

export interface OpenOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly unlock: Unlock | undefined;
}

/** Throws PermanentFailure `not-a-repository`, `key-needed`, `not-encrypted`, `wrong-key` or `format-too-new`, CorruptData. */
export async function openRepository(storage: Storage, { clock, signal, unlock }: OpenOptions): Promise<Repository> {
  const facts = await readFacts(storage, signal);
  if (facts.keyId === undefined && unlock) {
    throw new PermanentFailure(
      'not-encrypted',
      `Cannot open the repository with a key as it says that it is not encrypted: ${storage.description}`,
      {
        nextStep:
          'If it was made with a key, somebody changed its repository.json; if it was not, open it without one.',
      },
    );
  }
  if (facts.keyId === undefined) return { storage, cipher: openCipher, facts, clock };
  if (!unlock) {
    throw new PermanentFailure('key-needed', `Cannot open the repository as it is encrypted: ${storage.description}`, {
      nextStep: 'Give its passphrase with --passphrase-file or HOLDFAST_PASSPHRASE_FILE, or its key with --key-file.',
    });
  }
  const key = await unlockRepository(await readSlots(storage, signal), unlock, facts.keyId);
  return { storage, cipher: keyedCipher(key), facts, clock };
}

/** Reads a repository's facts without its key: enough to list. */
export async function openWithoutKey(
  storage: Storage,
  { clock, signal }: Omit<OpenOptions, 'unlock'>,
): Promise<Omit<Repository, 'cipher'>> {
  return { storage, facts: await readFacts(storage, signal), clock };
}

/** Opens the key with one way in and adds another. */
export async function addSlot(
  storage: Storage,
  request: { known: Unlock; added: Unlock; label: string; createdAt: string },
  signal: AbortSignal,
): Promise<Slot> {
  const { known, added, label, createdAt } = request;
  const facts = await readFacts(storage, signal);
  if (facts.keyId === undefined)
    throw new InvalidRequest('not-encrypted', 'Cannot add a key slot as the repository is not encrypted');
  const key = await unlockRepository(await readSlots(storage, signal), known, facts.keyId);
  const made = await createSlot(key, added, { label, createdAt });
  await putSlot(storage, made, signal);
  return made;
}

/**
 * Removes a way in, or a slot that is none: damaged, or of another key. The last way in stays: without it nobody could read
 * anything any more.
 */
export async function removeSlot(storage: Storage, slot: string, signal: AbortSignal): Promise<void> {
  const { keyId } = await readFacts(storage, signal);
  const { slots, damaged } = await readSlots(storage, signal);
  if (![...slots, ...damaged].some((each) => each.slot === slot))
    throw new InvalidRequest('no-such-slot', `Cannot remove key slot ${slot} as there is none of that name`);
  const isOther = (each: Slot): boolean => each.slot !== slot && each.keyId === keyId;
  if (keyId !== undefined && !slots.some(isOther))
    throw new Conflict('last-slot', `Cannot remove key slot ${slot} as it is the last way in`, {
      nextStep: 'Add another one first.',
    });
  await storage.delete([slotKey(slot)], { signal });
}

async function putSlot(storage: Storage, slot: Slot, signal: AbortSignal): Promise<void> {
  const key = slotKey(slot.slot);
  await storage.put(key, encodeDocument(slot, { cipher: openCipher, key }), { ifAbsent: true, signal });
}

async function readFacts(storage: Storage, signal: AbortSignal): Promise<RepositoryFacts> {
  const bytes = await readDocument(storage, REPOSITORY_KEY, signal).catch((cause: unknown) => {
    if (!(cause instanceof ObjectNotFound)) throw cause;
    throw new PermanentFailure(
      'not-a-repository',
      `Cannot open a repository as there is none: ${storage.description}`,
      {
        cause,
        nextStep: 'Make one with `holdfast repository init`, or check the folder.',
      },
    );
  });
  const facts = decodeDocument(bytes, { schema: repositorySchema, cipher: undefined, key: REPOSITORY_KEY });
  if (facts.format > FORMAT_VERSION) {
    throw new PermanentFailure(
      'format-too-new',
      `Cannot open the repository as it is of format ${facts.format}: this program reads up to ${FORMAT_VERSION}`,
      {
        nextStep: 'Use a newer version of holdfast.',
      },
    );
  }
  if (facts.format !== FORMAT_VERSION)
    throw damagedObject(`Cannot open the repository as there never was a format ${facts.format}`);
  return facts;
}

/** May a repository be made there? @throws Conflict `repository-exists`, `folder-not-empty` */
export async function refuseExisting(storage: Storage, signal: AbortSignal): Promise<void> {
  for await (const { key } of storage.list(REPOSITORY_KEY, { signal }))
    if (key === REPOSITORY_KEY) throw alreadyThere(storage);
  for await (const { key } of storage.list('', { signal })) {
    if (key.startsWith('probe/')) continue;
    throw new Conflict(
      'folder-not-empty',
      `Cannot make a repository as the folder is not empty: ${key} in ${storage.description}`,
      {
        nextStep: 'Choose a folder of its own for the repository.',
      },
    );
  }
}

function alreadyThere(storage: Storage): Conflict {
  return new Conflict('repository-exists', `Cannot make a repository as there is one already: ${storage.description}`, {
    nextStep: 'Use that one, with its passphrase or key file if it has one, or choose another folder.',
  });
}
