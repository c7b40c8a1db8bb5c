import { dateOf, systemClock, type Clock } from '../lib/clock.ts';
import { checkKey, checkPrefix, checkRange, compareKeys, refuseAsOf } from './key.ts';
import { ObjectNotFound, type Abortable, type GetOptions, type ListOptions } from './storage.ts';
import type { PutOptions, Storage, StoredObject } from './storage.ts';

export interface StorageCall {
  readonly verb: 'put' | 'get' | 'list' | 'delete';
  /** The key, the prefix, or the first of the keys to delete. */
  readonly key: string;
}

export interface MemoryOptions {
  /** The store's own time. */
  readonly clock?: Clock;
  /** Behave like a store that does not know conditional puts. */
  readonly ignoreIfAbsent?: boolean;
  /** Lists show what was there this long ago. */
  readonly listLagMs?: number;
  /** Runs before each call takes effect; what it throws is the call's error. */
  readonly before?: (call: StorageCall) => void | Promise<void>;
  /** Runs after each call took effect: an error here is an answer that was lost. Not for lists. */
  readonly after?: (call: StorageCall) => void | Promise<void>;
}

interface MemoryObject {
  /** Shared with nobody else; a test that changes it makes a bad disk. */
  bytes: Buffer;
  readonly modified: Date;
}

/** Objects in memory, for tests: a store whose time, faults and stale lists a test decides. */
export class MemoryStorage implements Storage {
  readonly description = 'memory';
  readonly objects = new Map<string, MemoryObject>();
  readonly #options: MemoryOptions;
  readonly #clock: Clock;
  /** What was under a key before, for lists that lag behind. */
  readonly #past: { key: string; until: number; object: MemoryObject }[] = [];

  constructor(options: MemoryOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<'stored' | 'exists'> {
    checkKey(key);
    return await this.#call({ verb: 'put', key }, options, () => {
      const old = this.objects.get(key);
      if (old !== undefined && options.ifAbsent === true && this.#options.ignoreIfAbsent !== true) return 'exists';
      this.#retire(key);
      this.objects.set(key, { bytes: Buffer.from(bytes), modified: dateOf(this.#clock.now()) });
      return 'stored';
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<Buffer> {
    checkKey(key);
    checkRange(options.range);
    refuseAsOf(options.asOf, this.description);
    return await this.#call({ verb: 'get', key }, options, () => {
      const object = this.objects.get(key);
      if (object === undefined) throw new ObjectNotFound(key, { where: this.description });
      const { start, end } = options.range ?? { start: 0, end: object.bytes.length };
      return Buffer.from(object.bytes.subarray(start, end));
    });
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<StoredObject> {
    checkPrefix(prefix);
    refuseAsOf(options.asOf, this.description);
    const objects = await this.#call({ verb: 'list', key: prefix }, options, () => this.#listed());
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix));
    for (const key of keys.toSorted(compareKeys)) {
      options.signal?.throwIfAborted();
      const object = objects.get(key);
      if (object === undefined || (options.after !== undefined && compareKeys(key, options.after) <= 0)) continue;
      yield { key, size: object.bytes.length, modified: object.modified };
    }
  }

  async delete(keys: readonly string[], options: Abortable = {}): Promise<void> {
    for (const key of keys) checkKey(key);
    await this.#call({ verb: 'delete', key: keys[0] ?? '' }, options, () => {
      for (const key of keys) {
        this.#retire(key);
        this.objects.delete(key);
      }
    });
  }

  async #call<T>(call: StorageCall, { signal }: Abortable, work: () => T): Promise<T> {
    signal?.throwIfAborted();
    await this.#options.before?.(call);
    signal?.throwIfAborted();
    const result = work();
    if (call.verb !== 'list') await this.#options.after?.(call);
    return result;
  }

  #retire(key: string): void {
    const object = this.objects.get(key);
    if (object === undefined || this.#options.listLagMs === undefined) return;
    this.#past.push({ key, until: this.#clock.now(), object });
  }

  /** What a list shows now. */
  #listed(): Map<string, MemoryObject> {
    const { listLagMs } = this.#options;
    if (listLagMs === undefined) return new Map(this.objects);
    const time = this.#clock.now() - listLagMs;
    const seen = new Map<string, MemoryObject>();
    for (const [key, object] of this.objects) {
      if (object.modified.getTime() <= time) seen.set(key, object);
    }
    for (const { key, until, object } of this.#past) {
      if (object.modified.getTime() <= time && until > time) seen.set(key, object);
    }
    return seen;
  }
}
