import type { Clock } from '../lib/clock.ts';
import { prune, voidAbandoned } from '../repository/prune.ts';
import { placeKey } from './needs.ts';
import type { Repositories, RepositoryPlace } from './repositories.ts';
import { Turnstile } from './turnstile.ts';

const LIMIT_MS = 6 * 3_600_000;

interface Collection {
  readonly startedAt: number;
  /** Why deleted backups keep their data for now, by id. */
  readonly waiting: ReadonlyMap<string, string>;
}

/** Removes from repositories what nothing needs any more; one collection serves everybody who waited for it. */
export class Collector {
  readonly #repositories: Repositories;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #last = new Map<string, Collection>();
  readonly #turnstiles = new Map<string, Turnstile>();

  constructor(repositories: Repositories, clock: Pick<Clock, 'now'>) {
    this.#repositories = repositories;
    this.#clock = clock;
  }

  /**
   * Collects unless that was done since `dueAt`, milliseconds since the epoch.
   * @returns why the data of the backup stays for now; undefined when it is gone
   */
  async collect(
    place: RepositoryPlace,
    { id, dueAt, signal }: { readonly id: string; readonly dueAt: number; readonly signal: AbortSignal },
  ): Promise<string | undefined> {
    const key = placeKey(place);
    // One at a time of each location: it may take hours, and others want to get in.
    const turnstile = this.#turnstiles.get(place.location) ?? new Turnstile(1);
    this.#turnstiles.set(place.location, turnstile);
    using _turn = await turnstile.enter(signal);
    const last = this.#last.get(key);
    if (last !== undefined && last.startedAt >= dueAt && !last.waiting.has(id)) return undefined;
    const startedAt = this.#clock.now();
    const collected = await this.#repositories.use(
      place,
      { signal, limitMs: LIMIT_MS },
      async (repository, limited) => {
        await voidAbandoned(repository, limited);
        return prune(repository, { signal: limited, isDryRun: false });
      },
    );
    const waiting = new Map(collected.waiting.map(({ backup, reason }) => [backup, reason]));
    this.#last.set(key, { startedAt, waiting });
    return waiting.get(id);
  }
}
