import { isoTime } from '../lib/clock.ts';
import { Conflict } from '../lib/failure.ts';
import {
  type Begun,
  damagedObject,
  decodeDocument,
  deletedSchema,
  encodeDocument,
  type Sealed,
  type Settlement,
  settlementSchema,
} from './documents.ts';
import { begunKey, deletedKey, sealKey } from './names.ts';
import { readDocument, readDocumentIfThere } from './read-object.ts';
import type { Repository } from './repository.ts';

const READ_BACK_MS = 30_000;

/**
 * A backup is settled once, by whoever first stores its seal: the writer (sealed) or whoever clears up a dead attempt (void).
 * Void seals and marks of deletion are never removed: a writer that was paused for weeks must find the place taken.
 */

export async function begin(repository: Repository, begun: Begun, signal: AbortSignal): Promise<void> {
  const { storage, cipher } = repository;
  const key = begunKey(begun);
  await storage.put(key, encodeDocument(begun, { cipher, key }), { ifAbsent: true, signal });
}

/** Makes the backup exist. Throws Conflict `already-settled` when somebody else settled it first. */
export async function seal(repository: Repository, sealed: Sealed, signal: AbortSignal): Promise<void> {
  await settle(repository, sealed, signal);
  if (await isDeleted(repository, sealed.backup, signal))
    throw settledByOther(sealed.backup, 'it was given up while it was being made');
}

/**
 * Gives up an unsettled backup for good. Where the store ignores "if absent" the mark of deletion is put first: it hides the
 * backup even if a writer that was paused all the time seals it afterwards.
 */
export async function voidBackup(
  repository: Repository,
  backup: string,
  options: { reason: string; signal: AbortSignal },
): Promise<void> {
  const { clock, facts } = repository;
  const { reason, signal } = options;
  if (await readSettlement(repository, backup, signal)) throw settledByOther(backup, 'it was settled meanwhile');
  const now = isoTime(clock.now());
  if (!facts.conditionalPut) await markDeleted(repository, backup, { reason, signal });
  await settle(repository, { state: 'void', backup, reason, voidedAt: now }, signal);
}

export async function markDeleted(
  repository: Repository,
  backup: string,
  options: { reason: string; signal: AbortSignal },
): Promise<void> {
  const { storage, cipher, clock } = repository;
  const key = deletedKey(backup);
  // Where the store ignores "if absent", a second mark would begin the 24 hours anew.
  if (await isDeleted(repository, backup, options.signal)) return;
  const document = { backup, deletedAt: isoTime(clock.now()), reason: options.reason };
  await storage.put(key, encodeDocument(document, { cipher, key }), { ifAbsent: true, signal: options.signal });
}

/** @returns undefined while nobody settled the backup. Reads the object itself: lists may lag. */
export async function readSettlement(
  repository: Pick<Repository, 'storage'> & Partial<Repository>,
  backup: string,
  signal: AbortSignal,
): Promise<Settlement | undefined> {
  const key = sealKey(backup);
  const bytes = await readDocumentIfThere(repository.storage, key, signal);
  if (!bytes) return undefined;
  return ofBackup(decodeDocument(bytes, { schema: settlementSchema, cipher: repository.cipher, key }), backup, key);
}

/** Throws CorruptData for a mark that was not written with this repository's key. */
export async function isDeleted(
  repository: Pick<Repository, 'storage'> & Partial<Repository>,
  backup: string,
  signal: AbortSignal,
): Promise<boolean> {
  const key = deletedKey(backup);
  const bytes = await readDocumentIfThere(repository.storage, key, signal);
  if (!bytes) return false;
  ofBackup(decodeDocument(bytes, { schema: deletedSchema, cipher: repository.cipher, key }), backup, key);
  return true;
}

/** Without a key nothing else ties a document to its name: one that was stored under another's speaks of the wrong backup. */
function ofBackup<T extends { readonly backup: string }>(document: T, backup: string, key: string): T {
  if (document.backup === backup) return document;
  throw damagedObject(`Cannot use ${key} as it speaks of another backup: ${document.backup}`);
}

async function settle(repository: Repository, settlement: Settlement, signal: AbortSignal): Promise<void> {
  const { storage, cipher } = repository;
  const key = sealKey(settlement.backup);
  const bytes = encodeDocument(settlement, { cipher, key });
  const before = await readDocumentIfThere(storage, key, signal);
  if (before && !before.equals(bytes)) throw settledByOther(settlement.backup, 'somebody else settled it');
  try {
    await storage.put(key, bytes, { ifAbsent: true, signal });
  } catch (error) {
    // @NOTE the answer may be lost and the seal stored: only reading it back tells. A signal that aborted must not hide that.
    if (!(await isStored(storage, key, bytes))) throw error;
  }
  if (!(await readDocumentIfThere(storage, key, signal))?.equals(bytes))
    throw settledByOther(settlement.backup, 'somebody else settled it');
}

async function isStored(storage: Repository['storage'], key: string, bytes: Buffer): Promise<boolean> {
  try {
    return (await readDocument(storage, key, AbortSignal.timeout(READ_BACK_MS))).equals(bytes);
  } catch {
    // What cannot be read back counts as not stored: the caller throws the error of the put, and the next attempt reads again.
    return false;
  }
}

function settledByOther(backup: string, how: string): Conflict {
  return new Conflict('already-settled', `Cannot settle backup ${backup} as ${how}`, {
    nextStep: 'Nothing is lost: start a new backup.',
  });
}
