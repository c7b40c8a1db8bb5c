import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Catalog } from '../../catalog/catalog.ts';
import { openSqliteCatalog } from '../../catalog/sqlite.ts';
import { systemClock } from '../../lib/clock.ts';
import { Lists } from './lists.ts';

let directory: string;
let catalog: Catalog;
const told: string[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hf-lists-'));
  catalog = await openSqliteCatalog({ file: join(directory, 'catalog.sqlite'), clock: systemClock, watchLimit: 50 });
  told.length = 0;
});
afterEach(async () => {
  await catalog[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function follow(followed: Catalog = catalog): Lists {
  return new Lists({
    catalog: followed,
    clock: { ...systemClock, sleep: async (_, options) => systemClock.sleep(5, options) },
    onChange: ({ name, resource }) => told.push(`${name} ${resource === undefined ? 'gone' : 'there'}`),
    onResync: () => told.push('resync'),
    onTrouble: (_, error) => told.push(error instanceof Error && 'code' in error ? String(error.code) : 'trouble'),
  });
}

async function createService(name: string) {
  return catalog.create('Service', name, { spec: { agent: 'db1', description: '' }, status: { state: 'Unknown' } });
}

async function namesIn(lists: Lists): Promise<string[]> {
  const query = { page: 1, pageSize: 500, sort: 'name', search: undefined, filters: {} };
  return (await lists.page('Service', query)).items.map((text) => {
    const { name }: { name: string } = JSON.parse(text);
    return name;
  });
}

test('lists have what was there and follow what comes, changes and goes', async () => {
  const first = await createService('a');
  await using lists = follow();
  expect(await namesIn(lists)).toEqual(['a']);
  await createService('b');
  await catalog.remove(first);
  await expect.poll(async () => namesIn(lists)).toEqual(['b']);
  expect(told).toEqual(['resync', 'b there', 'a gone']);
});

test('after lost changes everything is read again, and what is gone is gone', async () => {
  const first = await createService('a');
  let breaks = 0;
  const breaking: Catalog = Object.assign(Object.create(catalog), {
    list: catalog.list.bind(catalog),
    watch: async function* (options: { signal: AbortSignal }) {
      if (breaks++ > 0) return yield* catalog.watch(options);
      await sleep(20);
      await catalog.remove(first);
      await createService('b');
      throw new Error('Changes were lost');
    },
  });
  await using lists = follow(breaking);
  expect(await namesIn(lists)).toEqual(['a']);
  await expect.poll(async () => namesIn(lists)).toEqual(['b']);
  expect(told).toEqual(['resync', 'trouble', 'resync']);
});

test('whoever asks before all is read waits, and is told when it ends', async () => {
  const { promise: never, resolve } = Promise.withResolvers<void>();
  const slow: Catalog = Object.assign(Object.create(catalog), {
    watch: catalog.watch.bind(catalog),
    list: async function* () {
      await never;
      yield* [];
    },
  });
  const lists = follow(slow);
  const asked = namesIn(lists);
  const refused = expect(asked).rejects.toMatchObject({ code: 'lists-ended' });
  setTimeout(resolve, 20);
  await lists[Symbol.asyncDispose]();
  await refused;
});
