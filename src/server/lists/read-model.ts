import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Resource, type ResourceKind, resourceKinds } from '../../api/resources.ts';
import type { Catalog, Change } from '../../catalog/catalog.ts';
import { type Listing, listings } from './columns.ts';
import { type ListPage, type ListQuery, ListTable } from './list-table.ts';

/** Rows that are written in one go while it is filled: requests come between. */
const batch = 500;

/**
 * All resources as lists want them: filtered, sorted, by pages. It lies in a temporary file of SQLite that no one else sees
 * and that goes with the process; what is used most stays in memory.
 */
export class ReadModel implements Disposable {
  readonly #database: DatabaseSync;
  readonly #tables: ReadonlyMap<ResourceKind, ListTable>;

  constructor() {
    // An empty name means a temporary file.
    this.#database = new DatabaseSync('');
    this.#database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;');
    this.#tables = new Map(resourceKinds.map((kind) => [kind, this.#table(kind)]));
  }

  /** Reads all there is. Changes meanwhile are applied afterwards, by whoever watched since before. */
  async fill(catalog: Catalog, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    for (const kind of resourceKinds) {
      let waiting: Resource[] = [];
      for await (const resource of catalog.list(kind)) {
        signal.throwIfAborted();
        waiting.push(resource);
        if (waiting.length < batch) continue;
        this.#putAll(waiting);
        waiting = [];
        await nextTurn();
      }
      signal.throwIfAborted();
      this.#putAll(waiting);
      for (const _ of this.#of(kind).index()) await nextTurn();
    }
  }

  apply({ kind, name, resource }: Change): void {
    if (resource === undefined) this.#of(kind).remove(name);
    else this.#of(kind).put(resource);
  }

  page(kind: ResourceKind, query: ListQuery): ListPage {
    return this.#of(kind).page(query);
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #putAll(resources: readonly Resource[]): void {
    if (resources.length === 0) return;
    this.#database.exec('BEGIN');
    for (const resource of resources) this.#of(resource.kind).put(resource);
    this.#database.exec('COMMIT');
  }

  #table(kind: ResourceKind): ListTable {
    // One kind's columns: they are asked of resources of that kind only.
    return new ListTable(this.#database, kind, listings[kind] as Listing<ResourceKind>);
  }

  #of(kind: ResourceKind): ListTable {
    const table = this.#tables.get(kind);
    if (table === undefined) throw new TypeError(`There is no list of ${kind}`);
    return table;
  }
}
