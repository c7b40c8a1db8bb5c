import { ObjectNotFound, type ListOptions, type Storage } from '../../src/storage/storage.ts';

/** For the `catch` of a `get`: undefined where nothing is stored. */
export function missing(error: unknown): undefined {
  if (!(error instanceof ObjectNotFound)) throw error;
}

export async function objectsOf(storage: Storage, prefix: string, options: ListOptions = {}) {
  return await Array.fromAsync(storage.list(prefix, options));
}

export async function keysOf(storage: Storage, prefix: string, options: ListOptions = {}): Promise<string[]> {
  return (await objectsOf(storage, prefix, options)).map(({ key }) => key);
}

/** Fifty at a time. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < items.length; at += 50) await Promise.all(items.slice(at, at + 50).map(work));
}
