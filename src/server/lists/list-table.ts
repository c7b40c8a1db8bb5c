import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Resource, ResourceKind } from '../../api/resources.ts';
import type { Listing } from './columns.ts';

export interface ListQuery {
  /** From 1. */
  readonly page: number;
  readonly pageSize: number;
  readonly sort: string | undefined;
  /** Part of a name, in any case. */
  readonly search: string | undefined;
  /** By filter; several values are separated by commas. */
  readonly filters: Readonly<Record<string, string | undefined>>;
}

/** JSON of each resource. */
export interface ListPage {
  readonly items: readonly string[];
  /** Of all pages. */
  readonly total: number;
}

/**
 * The resources of one kind in a table of a database that is thrown away. There is an index for each sort that holds all
 * that filters look at, so that a page is found by walking one index, whatever the filter, and no row is read but its own.
 */
export class ListTable {
  readonly #database: DatabaseSync;
  readonly #listing: Listing<ResourceKind>;
  readonly #table: string;
  readonly #sorts: readonly string[];
  readonly #filters: readonly string[];
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, kind: ResourceKind, listing: Listing<ResourceKind>) {
    this.#database = database;
    this.#listing = listing;
    this.#table = `list_${kind}`;
    this.#sorts = Object.keys(listing.sorts);
    this.#filters = Object.keys(listing.filters);
    const columns = [...this.#others().map((sort) => `s_${sort}`), ...this.#filters.map((filter) => `f_${filter}`)];
    database.exec(
      `CREATE TABLE ${this.#table} (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, json TEXT NOT NULL, ${columns.join(', ')})`,
    );
  }

  /** After the first filling, which is faster without; yields between two of them, as each takes a while. */
  *index(): Generator<void> {
    for (const sort of this.#sorts) {
      const columns = new Set([this.#column(sort), 'name', ...this.#filters.map((filter) => `f_${filter}`)]);
      this.#database.exec(`CREATE INDEX ${this.#index(sort)} ON ${this.#table} (${[...columns].join(', ')})`);
      yield;
    }
  }

  put(resource: Resource): void {
    const { sorts, filters } = this.#listing;
    const values: SQLInputValue[] = [resource.name, JSON.stringify(resource)];
    for (const sort of this.#others()) values.push(sorts[sort]?.(resource) ?? null);
    for (const filter of this.#filters) values.push(filters[filter]?.(resource) ?? null);
    const names = ['name', 'json', ...this.#others().map((s) => `s_${s}`), ...this.#filters.map((f) => `f_${f}`)];
    const updates = names.slice(1).map((name) => `${name} = excluded.${name}`);
    this.#prepare(
      `INSERT INTO ${this.#table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')}) ON CONFLICT (name) DO UPDATE SET ${updates.join(', ')}`,
    ).run(...values);
  }

  remove(name: string): void {
    this.#prepare(`DELETE FROM ${this.#table} WHERE name = ?`).run(name);
  }

  page({ page, pageSize, sort, search, filters }: ListQuery): ListPage {
    const { where, values } = this.#where(search, filters);
    const total = this.#count(where, values);
    const offset = (page - 1) * pageSize;
    if (offset >= total) return { items: [], total };
    const { column, direction } = this.#order(sort);
    const order = column === 'name' ? `name ${direction}` : `${this.#column(column)} ${direction}, name ${direction}`;
    const ids = this.#prepare(
      `SELECT id FROM ${this.#table} INDEXED BY ${this.#index(column)} ${where} ORDER BY ${order} LIMIT ? OFFSET ?`,
    ).all(...values, pageSize, offset);
    const read = this.#prepare(`SELECT json FROM ${this.#table} WHERE id = ?`);
    const items = ids.flatMap(({ id }) => {
      const json = read.get(id ?? null)?.['json'];
      return typeof json === 'string' ? [json] : [];
    });
    return { items, total };
  }

  #count(where: string, values: readonly string[]): number {
    const index = where === '' ? '' : `INDEXED BY ${this.#index('name')}`;
    const row = this.#prepare(`SELECT count(*) AS total FROM ${this.#table} ${index} ${where}`).get(...values);
    return Number(row?.['total']);
  }

  #where(search: string | undefined, filters: ListQuery['filters']) {
    const terms: string[] = [];
    const values: string[] = [];
    for (const filter of this.#filters) {
      const wanted = (filters[filter] ?? '').split(',').filter((value) => value !== '');
      if (wanted.length === 0) continue;
      terms.push(`f_${filter} IN (${wanted.map(() => '?').join(', ')})`);
      values.push(...wanted);
    }
    if (search !== undefined && search !== '') {
      terms.push(String.raw`name LIKE ? ESCAPE '\'`);
      values.push(`%${search.replaceAll(/[%_\\]/g, String.raw`\$&`)}%`);
    }
    return { where: terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`, values };
  }

  #order(sort = this.#listing.defaultSort) {
    const isDescending = sort.startsWith('-');
    const wanted = isDescending ? sort.slice(1) : sort;
    return { column: this.#sorts.includes(wanted) ? wanted : 'name', direction: isDescending ? 'DESC' : 'ASC' };
  }

  /** The name is a column of its own. */
  #others(): readonly string[] {
    return this.#sorts.filter((sort) => sort !== 'name');
  }

  #column(sort: string): string {
    return sort === 'name' ? 'name' : `s_${sort}`;
  }

  #index(sort: string): string {
    return `${this.#table}_${sort}`;
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.#database.prepare(sql);
    // The texts are as many as combinations of filters that someone used.
    if (this.#statements.size >= 200) this.#statements.clear();
    this.#statements.set(sql, made);
    return made;
  }
}
