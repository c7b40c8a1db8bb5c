import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ServerFacts } from '../engine/engine.ts';
import { LastSeen, outsideAsSeen } from './last-seen.ts';

const signal = new AbortController().signal;
const database = { socket: '/run/mysqld/mysqld.sock', user: 'holdfast' };
let root: string;
let facts: ServerFacts;
let now: number;
let said: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-seen-'));
  for (const name of ['data', 'state', 'fast']) await mkdir(join(root, name));
  now = 1_800_000_000_000;
  said = [];
  facts = {
    vendor: 'MariaDB',
    version: '10.11.9-MariaDB',
    identity: 'i',
    dataDirectory: join(root, 'data'),
    gtid: '0-1-7',
    dataBytes: 5,
    variables: { log_bin_basename: join(root, 'fast', 'bin'), version: '10.11.9-MariaDB' },
  };
});
afterEach(() => rm(root, { recursive: true }));

function lastSeen(more: object = {}): LastSeen {
  const config = { stateDirectory: join(root, 'state'), database: { ...database, ...more } };
  return new LastSeen({ config, clock: { now: () => now }, say: (message) => said.push(message) });
}

async function see(seen: LastSeen, more: Partial<ServerFacts> = {}): Promise<void> {
  const told = { ...facts, ...more };
  expect(await seen.remembering({ readServerFacts: async () => told })(database, { signal })).toBe(told);
}

const file = () => join(root, 'state', 'last-seen.json');

test('what the server said is there for the next agent, without what a restore has no use for', async () => {
  expect(await lastSeen().recall()).toBeUndefined();
  await see(lastSeen());
  expect(await lastSeen().recall()).toEqual({
    at: '2027-01-15T08:00:00.000Z',
    vendor: 'MariaDB',
    version: '10.11.9-MariaDB',
    dataDirectory: facts.dataDirectory,
    variables: { log_bin_basename: join(root, 'fast', 'bin') },
    tablespacesThere: [],
  });
  expect((await stat(file())).mode & 0o077).toBe(0);
  expect(said).toEqual([]);
});

test('it is written when it changed, and now and then for its time', async () => {
  const seen = lastSeen();
  await see(seen);
  const first = await readFile(file(), 'utf8');
  now += 60_000;
  await see(seen, { gtid: '0-1-8', dataBytes: 6 });
  expect(await readFile(file(), 'utf8')).toBe(first);
  await see(seen, { version: '10.11.10-MariaDB' });
  expect(await seen.recall()).toMatchObject({ at: '2027-01-15T08:01:00.000Z', version: '10.11.10-MariaDB' });
  now += 600_000;
  await see(seen, { version: '10.11.10-MariaDB' });
  expect(await seen.recall()).toMatchObject({ at: '2027-01-15T08:11:00.000Z' });
});

test('answers that come at once are all kept, the last one stays', async () => {
  const seen = lastSeen();
  await Promise.all(['1', '2', '3'].map(async (version) => see(seen, { version })));
  expect(await seen.recall()).toMatchObject({ version: '3' });
});

test('it is of the server to which the agent’s file leads, whoever asks it', async () => {
  await see(lastSeen());
  expect(await lastSeen({ user: 'another' }).recall()).toBeDefined();
  expect(await lastSeen({ socket: '/run/second.sock' }).recall()).toBeUndefined();
});

test('what cannot be kept or read is told, and the answer is given all the same', async () => {
  await writeFile(file(), 'no record');
  expect(await lastSeen().recall()).toBeUndefined();
  expect(said).toMatchObject([expect.stringContaining(file())]);
  await rm(join(root, 'state'), { recursive: true });
  await see(lastSeen());
  expect(said[1]).toMatch(/could not be recorded/);
});

test('a tablespace of MySQL made since then cannot be told from those of others', async () => {
  const fast = join(root, 'fast');
  await mkdir(join(fast, 'app'));
  for (const name of ['own', 'theirs']) await writeFile(join(fast, 'app', `${name}.ibd`), '');
  const variables = { innodb_directories: root };
  await see(lastSeen(), {
    vendor: 'MySQL',
    version: '8.4.2',
    variables,
    tablespacesOutside: [join(fast, 'app', 'own.ibd')],
  });
  const seen = await lastSeen().recall();
  if (seen === undefined) throw new Error('It was not recorded');
  await mkdir(join(root, 'data', 'app'));
  // In the data directory they are its own.
  await writeFile(join(root, 'data', 'app', 'new.ibd'), '');
  const kinds = async () => (await outsideAsSeen(seen)).map(({ path, handling }) => [path, handling.kind]);
  expect(await kinds()).toEqual([
    [join(fast, 'app'), 'exchange'],
    [root, 'watch'],
  ]);
  await writeFile(join(fast, 'app', 'new.ibd'), '');
  expect(await kinds()).toContainEqual([join(fast, 'app'), 'refuse']);
});
