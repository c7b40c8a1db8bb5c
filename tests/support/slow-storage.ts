import { setTimeout as sleep } from 'node:timers/promises';
import type { Storage } from '../../src/storage/storage.ts';

/** The storage, with every call held up by so many milliseconds, so that each step of a backup takes a while. */
export function slowStorage(storage: Storage, delayMs: number): Storage {
  const wait = async (signal: AbortSignal | undefined): Promise<void> => {
    await sleep(delayMs, undefined, signal ? { signal } : {});
  };
  return {
    description: storage.description,
    put: async (key, bytes, options = {}) => {
      await wait(options.signal);
      return storage.put(key, bytes, options);
    },
    get: async (key, options = {}) => {
      await wait(options.signal);
      return storage.get(key, options);
    },
    list: (prefix, options) => storage.list(prefix, options),
    delete: async (keys, options = {}) => storage.delete(keys, options),
  };
}
