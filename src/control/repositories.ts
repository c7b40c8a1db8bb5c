import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../lib/clock.ts';
import { Failure } from '../lib/failure.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import type { Unlock } from '../repository/slots.ts';
import { find } from './find.ts';
import { missingPassphrase } from './location-text.ts';
import type { Stores } from './places.ts';
import type { SecretStore } from './secrets.ts';
import { Turnstile } from './turnstile.ts';

/** Which repository: a folder of a storage location. */
export interface RepositoryPlace {
  /** Name of the storage location. */
  readonly location: string;
  readonly folder?: string | undefined;
}

export interface UseOptions {
  readonly signal: AbortSignal;
  /** For waiting, opening and all of the work. Default 5 minutes. */
  readonly limitMs?: number;
}

type Work<T> = (repository: Repository, signal: AbortSignal) => Promise<T>;

export interface RepositoriesOptions {
  readonly catalog: Catalog;
  readonly secrets: SecretStore;
  readonly stores: Stores;
  readonly clock: Clock;
}

const LIMIT_MS = 300_000;
/** So that a store that answers slowly for ever keeps only its own work waiting. */
const AT_ONCE = 3;

/** Opens repositories for a piece of work each, not too many of one location at once. */
export class Repositories {
  readonly #options: RepositoriesOptions;
  readonly #turnstiles = new Map<string, Turnstile>();

  constructor(options: RepositoriesOptions) {
    this.#options = options;
  }

  /**
   * @throws InvalidRequest `no-such-location`; PermanentFailure `not-a-repository`, `wrong-key`; Failure of the store, also
   * `storage-too-slow` when the time is over
   */
  async use<T>(place: RepositoryPlace, { signal: given, limitMs = LIMIT_MS }: UseOptions, work: Work<T>): Promise<T> {
    const limit = AbortSignal.timeout(limitMs);
    try {
      return await this.#use(place, AbortSignal.any([given, limit]), work);
    } catch (error) {
      if (limit.aborted && !given.aborted) throw tooSlow(place, limitMs, error);
      throw error;
    }
  }

  async #use<T>(place: RepositoryPlace, signal: AbortSignal, work: Work<T>): Promise<T> {
    using _turn = await this.#turnstile(place.location).enter(signal);
    const { catalog, secrets, stores, clock } = this.#options;
    const { name, spec } = await find(catalog, 'StorageLocation', place.location);
    const record = await secrets.get('StorageLocation', name);
    const wish = { spec, secrets: record, folder: place.folder };
    await using storage = await stores.open(wish, { signal, mayCreate: false });
    const unlock: Unlock | undefined = spec.isEncrypted
      ? { kind: 'passphrase', passphrase: record['passphrase'] ?? missingPassphrase(name) }
      : undefined;
    return await work(await openRepository(storage, { clock, signal, unlock }), signal);
  }

  #turnstile(location: string): Turnstile {
    const found = this.#turnstiles.get(location) ?? new Turnstile(AT_ONCE);
    this.#turnstiles.set(location, found);
    return found;
  }
}

function tooSlow({ location }: RepositoryPlace, limitMs: number, cause: unknown): Failure {
  const message = `Cannot use storage location ${location} as it is too slow: it was not done within ${limitMs / 1000} seconds`;
  return new Failure('storage-too-slow', message, {
    cause,
    nextStep: 'Check the connection to the store; the work is tried again where nobody waits for it.',
  });
}
