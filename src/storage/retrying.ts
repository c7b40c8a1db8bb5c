import { systemClock, type Clock } from '../lib/clock.ts';
import { Failure, isPermanent } from '../lib/failure.ts';
import { eachUntilAborted, untilAborted } from '../lib/until-aborted.ts';
import { compareKeys } from './key.ts';
import {
  ObjectNotFound,
  StoreBusy,
  type Abortable,
  type ListOptions,
  type Storage,
  type StoredObject,
} from './storage.ts';

const firstDelayMs = 200;
const longestDelayMs = 20_000;

export interface RetryPolicy {
  /** Tries in all; of a listing: tries without a step forward. */
  readonly attempts?: number;
  /** No new try begins this long after the first one. */
  readonly maxTotalMs?: number;
  readonly clock?: Clock;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/**
 * Repeats what failed transiently, with exponentially longer pauses of random length. The error of the last try is thrown with
 * the number of tries, its cause is the error of the first. A `put` that is repeated with `ifAbsent` may find what its own
 * first try stored: the answer is `exists`. When its signal aborts, a call ends at once, even where the store hangs and never does.
 */
export function retrying(storage: Storage, policy: RetryPolicy = {}): Storage {
  const settings: Settings = { attempts: 6, maxTotalMs: 120_000, clock: systemClock, random: Math.random, ...policy };
  return {
    description: storage.description,
    put: (key, bytes, options = {}) => retry(() => storage.put(key, bytes, options), options, settings),
    get: (key, options = {}) => retry(() => storage.get(key, options), options, settings),
    list: (prefix, options = {}) => listOn(storage, { prefix, options, settings }),
    delete: (keys, options = {}) => retry(() => storage.delete(keys, options), options, settings),
  };
}

type Settings = Required<RetryPolicy>;

async function retry<T>(work: () => Promise<T>, options: Abortable, settings: Settings): Promise<T> {
  const tries = new Tries(settings);
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      return await untilAborted(work(), options.signal);
    } catch (error) {
      await tries.pauseAfter(error, options);
    }
  }
}

async function* listOn(
  storage: Storage,
  { prefix, options, settings }: { prefix: string; options: ListOptions; settings: Settings },
): AsyncGenerator<StoredObject> {
  let after = options.after;
  let tries = new Tries(settings);
  for (;;) {
    try {
      const listed = eachUntilAborted(storage.list(prefix, { ...options, after }), options.signal);
      for await (const object of behind(after, listed)) {
        after = object.key;
        tries = new Tries(settings);
        yield object;
      }
      return;
    } catch (error) {
      await tries.pauseAfter(error, options);
    }
  }
}

/** Nothing is shown twice, even by a store that does not heed `after`. */
async function* behind(after: string | undefined, objects: AsyncIterable<StoredObject>): AsyncGenerator<StoredObject> {
  for await (const object of objects) {
    if (after === undefined || compareKeys(object.key, after) > 0) yield object;
  }
}

class Tries {
  readonly #settings: Settings;
  readonly #begin: number;
  #count = 0;
  #first: unknown;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#begin = settings.clock.elapsed();
  }

  /** Sleeps before the next try, or throws if there is none. */
  async pauseAfter(error: unknown, { signal }: Abortable): Promise<void> {
    signal?.throwIfAborted();
    if (error instanceof ObjectNotFound || isPermanent(error)) throw error;
    this.#count += 1;
    if (this.#count === 1) this.#first = error;
    const { attempts, maxTotalMs, clock } = this.#settings;
    const spent = clock.elapsed() - this.#begin;
    const pause = this.#pauseMs(error);
    if (this.#count >= attempts || spent + pause > maxTotalMs) throw this.#exhausted(error, spent);
    try {
      await clock.sleep(pause, { signal });
    } finally {
      signal?.throwIfAborted();
    }
  }

  #pauseMs(error: unknown): number {
    const { random } = this.#settings;
    const longest = Math.min(longestDelayMs, firstDelayMs * 2 ** (this.#count - 1));
    const asked = error instanceof StoreBusy ? error.retryAfterMs : 0;
    return Math.max(asked, random() * longest);
  }

  #exhausted(error: unknown, spentMs: number): unknown {
    if (this.#count === 1) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new Failure(
      error instanceof Failure ? error.code : 'storage-failed',
      `${message} (${this.#count} tries in ${Math.round(spentMs / 1000)} s)`,
      {
        cause: this.#first,
        ...(error instanceof Failure && {
          evidence: error.evidence,
          ...(error.nextStep !== undefined && { nextStep: error.nextStep }),
        }),
      },
    );
  }
}
