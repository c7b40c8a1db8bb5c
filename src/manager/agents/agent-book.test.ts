import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentReport } from '../../api/enrol.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { openSqliteCatalog } from '../../catalog/sqlite.ts';
import { isoTime } from '../../lib/clock.ts';
import { FakeClock } from '../../../tests/support/fake-clock.ts';
import { AgentBook } from './agent-book.ts';

const version = '0.1.0';
const hostname = 'db1.example.net';
const hourMs = 3_600_000;
let folder: string;
let catalog: Catalog;
let clock: FakeClock;
let troubles: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-book-'));
  clock = new FakeClock();
  troubles = [];
  catalog = await openSqliteCatalog({ file: join(folder, 'catalog.sqlite'), clock });
  await catalog.create('Agent', 'db1', {
    spec: { connection: { type: 'dials' }, description: '' },
    status: { state: 'Unknown', ...reportOf(undefined) },
  });
});

afterEach(async () => {
  await catalog[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function reportOf(dataBytes: number | undefined): Required<Omit<AgentReport, 'server'>> & Pick<AgentReport, 'server'> {
  return {
    ...(dataBytes === undefined ? {} : { server: { isUp: true, vendor: 'MySQL', dataBytes } }),
    engines: [],
    restoreDirectories: [],
    mayRestoreInPlace: false,
    locations: [],
    managedLocations: [],
  };
}

async function openBook(used = catalog): Promise<AgentBook> {
  const book = new AgentBook({ catalog: used, clock, version, onTrouble: (text) => troubles.push(text) });
  for await (const agent of used.list('Agent')) book.learn(agent);
  return book;
}

/** The version of the record and what it says. */
async function record() {
  const agent = await catalog.get('Agent', 'db1');
  return { number: agent?.version, ...agent?.status };
}

async function hear(book: AgentBook, dataBytes?: number): Promise<void> {
  book.heard('db1', { version, hostname, ...(dataBytes === undefined ? {} : { report: reportOf(dataBytes) }) });
  await book.settled();
}

test('an agent that only goes on living is not written, but for the time it was seen now and then', async () => {
  const book = await openBook();
  await hear(book, 100_000);
  const { number, state, lastSeenAt } = await record();
  expect({ state, lastSeenAt }).toEqual({ state: 'Connected', lastSeenAt: isoTime(clock.now()) });
  await clock.pass(40_000);
  await hear(book);
  // A database grows all the time.
  await hear(book, 100_900);
  expect((await record()).number).toBe(number);
  expect(book.lastSeenAt('db1')).toBe(isoTime(clock.now()));
  await clock.pass(hourMs);
  await hear(book);
  expect((await record()).lastSeenAt).toBe(isoTime(clock.now()));
  await hear(book, 110_000);
  expect(await record()).toMatchObject({ server: { dataBytes: 110_000 } });
});

test('a manager that starts again writes only what changed meanwhile', async () => {
  await hear(await openBook(), 100_000);
  const { number } = await record();
  const book = await openBook();
  await hear(book, 100_000);
  expect((await record()).number).toBe(number);
  await clock.pass(91_000);
  book.look();
  await book.settled();
  const lost = await record();
  expect(lost).toMatchObject({ state: 'Lost', failure: { code: 'agent-lost' } });
  const next = await openBook();
  await clock.pass(91_000);
  next.look();
  await next.settled();
  expect((await record()).number).toBe(lost.number);
  await hear(next);
  expect(await record()).toMatchObject({ state: 'Connected', lastSeenAt: isoTime(clock.now()) });
  expect((await record()).failure).toBeUndefined();
});

test('what could not be written is written a minute later', async () => {
  let isFull = true;
  const full: Catalog = {
    create: async (...given) => catalog.create(...given),
    get: async (...given) => catalog.get(...given),
    list: (kind) => catalog.list(kind),
    remove: async (resource) => catalog.remove(resource),
    watch: (options) => catalog.watch(options),
    replace: async (resource) => {
      if (isFull) throw new Error('the disk is full');
      return catalog.replace(resource);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const book = await openBook(full);
  await hear(book);
  await hear(book);
  expect(troubles).toEqual(['The state of agent db1 cannot be recorded']);
  isFull = false;
  await clock.pass(60_000);
  book.look();
  await book.settled();
  expect(await record()).toMatchObject({ state: 'Connected' });
});
