import type { QueryClient, QueryFilters } from '@tanstack/react-query';
import type { ManagerEvent } from '../../src/api/events.ts';
import type { ResourceKind } from '../../src/api/resources.ts';
import { setLive } from './live.ts';
import { recordProgress } from './progress.ts';

/** The first part of the paths of a kind's routes, see `topicOf`. */
const topics: Readonly<Record<ResourceKind, string>> = {
  Agent: 'agents',
  Service: 'services',
  StorageLocation: 'locations',
  Backup: 'backups',
  Restore: 'restores',
  Drill: 'drills',
};
/** Topics and routes that tell of one kind and depend on others: a service shows its agent's state. */
const alsoTold: Readonly<Partial<Record<ResourceKind, readonly string[]>>> = {
  Agent: ['services', 'restoreTargets'],
  Service: ['restoreTargets'],
  Drill: ['backups'],
};

/** Changes that come within this time are read together. */
const gatherMs = 300;
const reconnectMs = 3000;
/** `EventSource.CLOSED` */
const closed = 2;

export interface Stale {
  readonly all: boolean;
  readonly changes: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Does what was read under this key have to be read again? Lists always, answers about one name when that name changed. */
export function isStale(queryKey: readonly unknown[], stale: Stale): boolean {
  if (stale.all) return true;
  const [topic, route, asked] = queryKey;
  const name = nameAsked(asked);
  return [topic, route].some((key) => {
    const names = typeof key === 'string' ? stale.changes.get(key) : undefined;
    return names !== undefined && (name === undefined || names.has('*') || names.has(name));
  });
}

/** Which topics and routes, and which names in them (`*`: any), are other ones now. */
export function staleAfter(events: readonly ManagerEvent[]): Stale {
  const changes = new Map<string, Set<string>>();
  const add = (topic: string, name: string): void => {
    changes.set(topic, (changes.get(topic) ?? new Set()).add(name));
  };
  for (const event of events) {
    if (event.type !== 'change') continue;
    add(topics[event.kind], event.name);
    for (const topic of alsoTold[event.kind] ?? []) add(topic, '*');
  }
  return { all: events.some(({ type }) => type === 'resync'), changes };
}

/** Keeps what the pages show as fresh as the manager says, until it is disposed of. */
export class LiveEvents implements Disposable {
  readonly #queries: QueryClient;
  readonly #connect: () => EventSource;
  #source: EventSource;
  #gathered: ManagerEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reconnect: ReturnType<typeof setTimeout> | undefined;

  constructor(queries: QueryClient, connect = () => new EventSource('/api/v1/events')) {
    this.#queries = queries;
    this.#connect = connect;
    this.#source = this.#open();
  }

  [Symbol.dispose](): void {
    this.#source.close();
    clearTimeout(this.#timer);
    clearTimeout(this.#reconnect);
  }

  #open(): EventSource {
    const source = this.#connect();
    source.addEventListener('message', ({ data }) => this.#hear(JSON.parse(String(data))));
    source.addEventListener('open', () => {
      setLive(true);
      // What happened before was not told, be it between two connections or between the page's first answers and this one.
      this.#hear({ type: 'resync' });
    });
    source.addEventListener('error', () => {
      setLive(false);
      // A browser connects again by itself after a broken connection, not after an answer that is an error.
      if (source.readyState !== closed) return;
      this.#reconnect = setTimeout(() => {
        this.#source = this.#open();
      }, reconnectMs);
    });
    return source;
  }

  #hear(event: ManagerEvent): void {
    if (event.type === 'progress') {
      recordProgress(event);
      return;
    }
    this.#gathered.push(event);
    this.#timer ??= setTimeout(() => this.#tell(), gatherMs);
  }

  #tell(): void {
    const stale = staleAfter(this.#gathered);
    this.#gathered = [];
    this.#timer = undefined;
    const filters: QueryFilters = { predicate: ({ queryKey }) => isStale(queryKey, stale) };
    const onTheirWay = this.#queries.getQueryCache().findAll({ ...filters, fetchStatus: 'fetching' });
    const first = onTheirWay.filter(({ state }) => state.data === undefined);
    void this.#queries.invalidateQueries(filters);
    // A first answer that is on its way is not asked for anew, though it may tell how things were before: it is, once it is there.
    for (const { promise, queryKey } of first) {
      const ask = (): void => void this.#queries.invalidateQueries({ queryKey, exact: true });
      promise?.then(ask, ask);
    }
  }
}

function nameAsked(asked: unknown): string | undefined {
  if (typeof asked !== 'object' || asked === null || !('params' in asked)) return undefined;
  const { params } = asked;
  if (typeof params !== 'object' || params === null || !('name' in params)) return undefined;
  return typeof params.name === 'string' ? params.name : undefined;
}
