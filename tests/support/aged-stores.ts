import type { Stores } from '../../src/control/places.ts';
import { systemStores } from '../../src/manager/stores.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** The stores as they are, where everything seems to have been for longer, but for what tells the time of now. */
export function agedStores(agedMs: number): Stores {
  return {
    probe: async (storage, options) => systemStores.probe(storage, options),
    open: async (place, options) => {
      const storage = await systemStores.open(place, options);
      const aged: Storage = {
        description: storage.description,
        put: async (key, bytes, given) => storage.put(key, bytes, given),
        get: async (key, given) => storage.get(key, given),
        delete: async (keys, given) => storage.delete(keys, given),
        list: async function* (prefix, given) {
          for await (const object of storage.list(prefix, given)) {
            const isProbe = object.key.startsWith('probe/');
            yield isProbe ? object : { ...object, modified: new Date(object.modified.getTime() - agedMs) };
          }
        },
      };
      return Object.assign(aged, { [Symbol.asyncDispose]: async () => storage[Symbol.asyncDispose]() });
    },
  };
}
