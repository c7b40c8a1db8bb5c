import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Resource } from '../../api/resources.ts';
import { listings } from './columns.ts';
import { type ListQuery, ListTable } from './list-table.ts';

const begin = Date.parse('2026-11-21T00:00:00.000Z');
const iso = (ms: number): string => new Date(begin + ms).toISOString();

const backup = fc
  .record({
    name: fc.stringMatching(/^[A-Ca-c0-1][A-Ca-c._:-]{0,3}$/),
    service: fc.constantFrom('shop', 'Shop', 'wiki'),
    location: fc.constantFrom('here', 'there'),
    technology: fc.constantFrom(undefined, 'MySQL', 'MariaDB'),
    state: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed'),
    createdAt: fc.integer({ min: 0, max: 5 }),
    durationMs: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
    storedBytes: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
    proof: fc.constantFrom(undefined, 'sealed', 'checked', 'proven'),
    isPinned: fc.boolean(),
  })
  .map(asBackup);

test('a page holds what filtering, sorting and cutting by hand gives, also after changes', () => {
  fc.assert(
    fc.property(
      fc.array(backup, { maxLength: 30 }),
      fc.array(backup, { maxLength: 10 }),
      fc.array(query(), { minLength: 1, maxLength: 10 }),
      fc.boolean(),
      (...[before, changes, queries, isIndexedFirst]) => {
        using database = new DatabaseSync(':memory:');
        const table = new ListTable(database, 'Backup', listings.Backup as never);
        const held = new Map<string, Resource<'Backup'>>();
        const put = (resource: Resource<'Backup'>): void => {
          table.put(resource);
          held.set(resource.name, resource);
        };
        if (isIndexedFirst) Array.from(table.index());
        before.forEach(put);
        if (!isIndexedFirst) Array.from(table.index());
        changes.forEach((each, index) => {
          if (index % 3 !== 0) return put(each);
          table.remove(each.name);
          held.delete(each.name);
        });
        for (const each of queries) {
          const { items, total } = table.page(each);
          const wanted = byHand([...held.values()], each);
          expect({ total, items: items.map((text) => JSON.parse(text)) }).toEqual(wanted);
        }
      },
    ),
    { numRuns: 200 },
  );
});

function query(): fc.Arbitrary<ListQuery> {
  const sorts = Object.keys(listings.Backup.sorts);
  const several = (...values: string[]) =>
    fc.option(
      fc.subarray(values, { minLength: 1 }).map((each) => each.join(',')),
      { nil: undefined },
    );
  return fc.record({
    page: fc.integer({ min: 1, max: 3 }),
    pageSize: fc.integer({ min: 1, max: 12 }),
    sort: fc.option(
      fc.tuple(fc.constantFrom('', '-'), fc.constantFrom(...sorts)).map((each) => each.join('')),
      {
        nil: undefined,
      },
    ),
    search: fc.option(fc.constantFrom('a', 'A', '_', '%', '.', '\\', "'", ''), { nil: undefined }),
    filters: fc.record({
      state: several('Running', 'Succeeded', 'Deleted'),
      service: several('shop', 'wiki'),
      technology: several('MySQL', 'MariaDB'),
      proof: several('none', 'proven', 'sealed'),
      pinned: several('true'),
      unknown: several('ignored'),
    }),
  });
}

function byHand(all: readonly Resource<'Backup'>[], { page, pageSize, sort, search, filters }: ListQuery) {
  const { sorts, filters: filterOf, defaultSort } = listings.Backup;
  const chosen = all.filter(
    (each) =>
      (search === undefined || each.name.toLowerCase().includes(search.toLowerCase())) &&
      Object.entries(filterOf).every(
        ([name, valueOf]) => filters[name] === undefined || filters[name].split(',').includes(valueOf(each)),
      ),
  );
  const order = sort ?? defaultSort;
  const direction = order.startsWith('-') ? -1 : 1;
  const valueOf = sorts[order.replace('-', '')] ?? (() => null);
  chosen.sort((a, b) => direction * (compare(valueOf(a), valueOf(b)) || compare(a.name, b.name)));
  return { total: chosen.length, items: chosen.slice((page - 1) * pageSize, page * pageSize) };
}

function compare(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  return a < b ? -1 : 1;
}

interface Made {
  readonly name: string;
  readonly service: string;
  readonly location: string;
  readonly technology: string | undefined;
  readonly state: string;
  readonly createdAt: number;
  readonly durationMs: number | undefined;
  readonly storedBytes: number | undefined;
  readonly proof: string | undefined;
  readonly isPinned: boolean;
}

/** Only what lists look at. */
function asBackup(made: Made): Resource<'Backup'> {
  const { name, service, location, technology, state, createdAt, durationMs, storedBytes, proof, isPinned } = made;
  const resource = {
    kind: 'Backup',
    name,
    uid: `uid of ${name}`,
    version: 1,
    createdAt: iso(createdAt),
    spec: { service, location, isPinned },
    status: {
      state,
      ...(technology === undefined ? {} : { technology }),
      ...(durationMs === undefined ? {} : { startedAt: iso(0), endedAt: iso(durationMs) }),
      ...(storedBytes === undefined ? {} : { result: { storedBytes, logicalBytes: storedBytes } }),
      ...(proof === undefined ? {} : { proof: { level: proof, at: iso(0) } }),
    },
  };
  return resource as unknown as Resource<'Backup'>;
}
