import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { backupColumns } from '../../src/api/backup-routes.ts';
import type { CallInput, ManagerClient } from '../../src/api/manager-client.ts';
import { atBest } from '../support/at-best.ts';
import { startTestManager } from '../support/manager.ts';
import { fillCatalog, randomFrom, services } from '../support/many-backups.ts';
import { startStandInControl } from '../support/stand-in-control.ts';

type Query = NonNullable<CallInput<'listBackups'>['query']>;

const count = Number(process.env['HOLDFAST_BACKUPS'] ?? 100_000);
const requests = 400;
/** What users are promised is 50 ms on a machine with nothing else to do; this one may be busy. */
const limitMs = Number(process.env['HOLDFAST_LIST_LIMIT_MS'] ?? 250);
const signal = new AbortController().signal;
const directory = await mkdtemp(join(tmpdir(), 'hf-lists-'));
afterAll(async () => rm(directory, { recursive: true, force: true }));

test(`a page of ${count} backups comes quickly after a cold start, whatever is asked`, async () => {
  const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(performance.timeOrigin) % 1e9);
  const random = randomFrom(seed);
  await fillCatalog(directory, count, random);
  const begun = performance.now();
  await using started = await startTestManager({ stateDirectory: directory, startControl: startStandInControl });
  const first = await started.admin.call('listBackups', { query: { pageSize: 1 }, signal });
  const filledMs = performance.now() - begun;
  expect(first.total).toBe(count);
  const p95 = await atBest(limitMs, async () => {
    const { wall, text } = await measured(started.admin, random);
    console.log(`seed ${seed}: filled in ${(filledMs / 1000).toFixed(1)} s; ${text}`);
    return wall.p95;
  });
  expect(p95).toBeLessThanOrEqual(limitMs);
});

/** Many pages, asked for one after the other. */
async function measured(client: ManagerClient, random: () => number) {
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let slowest: { ms: number; query: Query } = { ms: 0, query: {} };
  for (let request = 0; request < requests; request += 1) {
    const query = randomQuery(random);
    const cpu = process.cpuUsage();
    const ms = await timed(client, query);
    const { user, system } = process.cpuUsage(cpu);
    times.push(ms);
    cpuTimes.push((user + system) / 1_000);
    if (ms > slowest.ms) slowest = { ms, query };
  }
  const [wall, cpu] = [spread(times), spread(cpuTimes)];
  const memory = Math.round(process.memoryUsage.rss() / 1e6);
  const text = `median ${wall.median} ms, p95 ${wall.p95} ms, of the processor, client included, ${cpu.median} and ${cpu.p95} ms; slowest ${slowest.ms.toFixed(1)} ms for ${JSON.stringify(slowest.query)}; ${memory} MB`;
  return { wall, text };
}

function spread(times: readonly number[]) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => Number((sorted[Math.floor(share * sorted.length)] ?? 0).toFixed(1));
  return { median: at(0.5), p95: at(0.95) };
}

async function timed(client: ManagerClient, query: Query): Promise<number> {
  const begun = performance.now();
  const { items, page, pageSize, total } = await client.call('listBackups', { query, signal });
  const ms = performance.now() - begun;
  expect(items).toHaveLength(Math.max(0, Math.min(pageSize, total - (page - 1) * pageSize)));
  return ms;
}

function randomQuery(random: () => number): Query {
  const pick = <T>(values: readonly [T, ...T[]]): T => values[Math.floor(random() * values.length)] ?? values[0];
  const maybe = <T>(share: number, value: () => T): T | undefined => (random() < share ? value() : undefined);
  return {
    page: pick([1, 1, 2, 3, 10, 100, 1_000]),
    pageSize: pick([25, 25, 50, 100]),
    sort: pick(backupColumns) === 'name' ? 'name' : `${random() < 0.5 ? '-' : ''}${pick(backupColumns)}`,
    search: maybe(0.3, () => pick(['nightly-1', 'SERVICE-7', 'no such name', '99', 'service-12-'])),
    state: maybe(0.4, () => pick(['Failed', 'Succeeded', 'Failed,Cancelled', 'Running'])),
    service: maybe(0.3, () => `service-${Math.floor(random() * services)}`),
    technology: maybe(0.2, () => pick(['MySQL', 'MariaDB,Percona Server'])),
    location: maybe(0.2, () => pick(['location-1', 'location-2,location-3', 'nowhere'])),
    proof: maybe(0.2, () => pick(['proven', 'none', 'sealed,checked'])),
    pinned: maybe(0.1, () => pick(['true', 'false'] as const)),
  };
}
