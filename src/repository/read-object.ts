import { ObjectNotFound, type Storage } from '../storage/storage.ts';
import { damagedObject, MAX_DOCUMENT_BYTES } from './documents.ts';
import { MAX_OBJECT_BYTES } from './small-object.ts';

/** The bytes of a small JSON document. Throws ObjectNotFound. */
export async function readDocument(storage: Storage, key: string, signal: AbortSignal): Promise<Buffer> {
  return readBounded(storage, key, { maxBytes: MAX_DOCUMENT_BYTES, signal });
}

/** The bytes of an index or a log. Throws ObjectNotFound. */
export async function readObject(storage: Storage, key: string, signal: AbortSignal): Promise<Buffer> {
  return readBounded(storage, key, { maxBytes: MAX_OBJECT_BYTES, signal });
}

/** @returns undefined when nothing is there. */
export async function readDocumentIfThere(
  storage: Storage,
  key: string,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  return ifThere(readDocument(storage, key, signal));
}

/** @returns undefined when nothing is there. */
export async function readObjectIfThere(
  storage: Storage,
  key: string,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  return ifThere(readObject(storage, key, signal));
}

async function ifThere(reading: Promise<Buffer>): Promise<Buffer | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ObjectNotFound) return undefined;
    throw error;
  }
}

/** Reads a whole object that has a bound: what somebody put there must not take all memory. Throws ObjectNotFound. */
async function readBounded(
  storage: Storage,
  key: string,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Buffer> {
  const bytes = await storage.get(key, { range: { start: 0, end: maxBytes + 1 }, signal });
  if (bytes.length > maxBytes) {
    throw damagedObject(`Cannot read ${key} as it is larger than ${maxBytes} bytes`);
  }
  return bytes;
}
