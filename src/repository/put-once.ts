import { Conflict } from '../lib/failure.ts';
import type { Storage } from '../storage/storage.ts';

/** Puts an object whose name is one attempt's alone: something there already can only be this very put, whose answer was lost. */
export async function putOnce(
  storage: Storage,
  key: string,
  put: { bytes: Buffer; signal: AbortSignal },
): Promise<void> {
  const { bytes, signal } = put;
  if ((await storage.put(key, bytes, { ifAbsent: true, signal })) === 'stored') return;
  if (!(await storage.get(key, { signal })).equals(bytes))
    throw new Conflict('object-exists', `Cannot write ${key} as something else is stored there`);
}
