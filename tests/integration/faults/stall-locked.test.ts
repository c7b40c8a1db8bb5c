import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureMariadb } from '../../../scripts/setup/mariadb.ts';
import { backupRequestSchema } from '../../../src/api/jobs.ts';
import { takeBackup } from '../../../src/core/take-backup.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { readServerFacts } from '../../../src/engine/server-facts.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Sealed } from '../../../src/repository/documents.ts';
import { listBackups } from '../../../src/repository/list.ts';
import { initRepository, type Repository } from '../../../src/repository/repository.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { atBest } from '../../support/at-best.ts';
import { engineFor } from '../../support/engine-for.ts';
import { fillStatistics, startCommitting } from '../../support/commits.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { neverAborted as signal, nextBackupId } from '../../support/repositories.ts';
import { type MariadbServer, startMariadb, startVersitygw } from '../../support/servers.ts';

const shortMs = 3_000;
/** What an agent is asked for where nobody says otherwise, and a tool is given where nobody says anything. */
const defaultMs = 10_000;
/** For the tool to be killed and the server to notice. */
const slackMs = 1_500;
/** Held up for so much longer, commits were not let go by the limit. */
const neverSlackMs = 5_000;

const stack = new AsyncDisposableStack();
let database: MariadbServer;
let proxy: FaultProxy;
let repository: Repository;
let engine: Engine;

beforeAll(async () => {
  const { bin } = await ensureMariadb();
  database = stack.use(await startMariadb({ bin, options: ['--log-bin=bin', '--server-id=1'] }));
  await fillStatistics(database.socket);
  const store = stack.use(await startVersitygw());
  await store.createBucket('stalls');
  proxy = stack.use(await startFaultProxy(store.endpoint));
  const { region, accessKey: accessKeyId, secretKey: secretAccessKey } = store;
  const location = { kind: 's3', bucket: 'stalls', prefix: '', region, endpoint: proxy.endpoint } as const;
  const storage = stack.use(await openStorage(location, { secrets: { accessKeyId, secretAccessKey } }));
  const options = { clock: systemClock, signal, conditionalPut: true, unlock: undefined, label: 'test' };
  repository = await initRepository(storage, options);
  engine = await engineFor({ server: { socket: database.socket, user: 'root' }, path: `${bin}:/usr/bin:/bin` });
});
afterAll(() => stack.disposeAsync());

async function backUp(
  backup: string,
  { onLog, lockedStallMs }: { onLog: (line: string) => void; lockedStallMs?: number },
): Promise<Sealed> {
  const server = { socket: database.socket, user: 'root' };
  const serverFacts = await readServerFacts(server, { signal });
  const request = { backup, service: 'db', lineage: backup, name: 'stalled', writer: 'test', configuration: [] };
  return takeBackup(
    {
      ...request,
      server,
      serverFacts,
      level: 0,
      ...(lockedStallMs === undefined ? {} : { lockedStallMs }),
      tuning: { segmentBytes: 1 << 20, frameBytes: 256 << 10, compressions: 2, uploads: 2 },
    },
    { repository, engine, clock: systemClock, program: 'test', signal, onProgress: () => undefined, onLog },
  );
}

/**
 * One attempt at the backup whose store stalls as soon as commits wait.
 * @param lockedStallMs undefined: the default
 * @returns for how long they did, milliseconds
 */
async function stalled(backup: string, lockedStallMs?: number): Promise<number> {
  const limitMs = lockedStallMs ?? defaultMs;
  await using committers = await startCommitting(database.socket, 3);
  let lockedAt = Infinity;
  const onLog = (line: string): void => {
    if (!/BACKUP STAGE BLOCK_COMMIT/.test(line)) return;
    lockedAt = Math.min(lockedAt, performance.now());
    proxy.setRules({ method: 'PUT', path: '.segment', fault: { kind: 'stall', on: 'request', afterBytes: 1000 } });
  };
  const attempt = backUp(backup, { onLog, ...(lockedStallMs === undefined ? {} : { lockedStallMs }) });
  await expect(attempt).rejects.toMatchObject({ code: 'store-stalled-while-locked', nextStep: expect.any(String) });
  const endedMs = performance.now() - lockedAt;
  const heldMs = await committers.held(limitMs * 0.8);
  proxy.setRules();
  process.stdout.write(`commits waited at most ${Math.round(heldMs)} ms, the limit is ${limitMs} ms\n`);
  return Math.max(endedMs, heldMs);
}

it('a store that stalls while the server is locked holds commits for no longer than the limit', async () => {
  const backup = nextBackupId();
  const [enoughMs, neverMs] = [shortMs + slackMs, shortMs + neverSlackMs];
  expect(await atBest(enoughMs, () => stalled(backup, shortMs), { neverMs })).toBeLessThan(enoughMs);
  expect((await listBackups(repository, { signal })).map(({ state }) => state)).toEqual(['unsettled']);

  const log: string[] = [];
  const sealed = await backUp(backup, { onLog: (line) => log.push(line) });
  expect(sealed).toMatchObject({ state: 'sealed', backup });
  expect(log.join('\n')).toMatch(/, \d+ segments of earlier attempts are there/);
});

it('the limit is ten seconds where nobody says otherwise', async () => {
  expect(backupRequestSchema.shape.lockedStallSeconds.parse(undefined)).toBe(defaultMs / 1000);
  const [enoughMs, neverMs] = [defaultMs + slackMs, defaultMs + neverSlackMs];
  expect(await atBest(enoughMs, () => stalled(nextBackupId()), { neverMs })).toBeLessThan(enoughMs);
});
