import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
import { DirectoryStorage, prepareDirectory } from '../../../src/storage/directory.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { retrying } from '../../../src/storage/retrying.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { atBest } from '../../support/at-best.ts';
import { engineFor } from '../../support/engine-for.ts';
import { fillStatistics, startCommitting } from '../../support/commits.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { neverAborted as signal, nextBackupId } from '../../support/repositories.ts';
import { type MariadbServer, startMariadb, startVersitygw } from '../../support/servers.ts';

const shortMs = 3_000;
/** What an agent is asked for where nobody says otherwise, and a tool is given where nobody says anything. */
const defaultMs = 10_000;
/** The tool is killed a tenth of a second before the limit; what a busy machine adds. */
const slackMs = 250;
/** Held up for so much longer, commits were not let go by the limit. */
const neverSlackMs = 5_000;

const stack = new AsyncDisposableStack();
let database: MariadbServer;
let proxy: FaultProxy;
let engine: Engine;

/** A repository, and what makes its store stall in the middle of a segment and work again. */
interface Lab {
  readonly repository: Repository;
  readonly stall: () => void;
  readonly recover: () => void;
}
let onS3: Lab;
let inDirectory: Lab;

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
  onS3 = {
    repository: await newRepository(storage),
    stall: () =>
      proxy.setRules({ method: 'PUT', path: '.segment', fault: { kind: 'stall', on: 'request', afterBytes: 1000 } }),
    recover: () => proxy.setRules(),
  };
  const folder = await mkdtemp(join(tmpdir(), 'hf-stalls-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const root = join(folder, 'store');
  await prepareDirectory(root);
  const hanging = new HangingStorage(new DirectoryStorage(root));
  inDirectory = {
    repository: await newRepository(retrying(hanging)),
    stall: () => (hanging.isHanging = true),
    recover: () => (hanging.isHanging = false),
  };
  engine = await engineFor({ server: { socket: database.socket, user: 'root' }, path: `${bin}:/usr/bin:/bin` });
});
afterAll(() => stack.disposeAsync());

/** As a directory on a network that is gone: what is asked of it meanwhile is never answered, whatever the signal says. */
class HangingStorage implements Storage {
  readonly description = 'a directory that hangs';
  isHanging = false;
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  put: Storage['put'] = async (...args) => this.#hung() ?? this.#storage.put(...args);
  get: Storage['get'] = async (...args) => this.#hung() ?? this.#storage.get(...args);
  list: Storage['list'] = (...args) => this.#storage.list(...args);
  delete: Storage['delete'] = async (...args) => this.#hung() ?? this.#storage.delete(...args);

  #hung(): Promise<never> | undefined {
    return this.isHanging ? new Promise(() => undefined) : undefined;
  }
}

async function newRepository(storage: Storage): Promise<Repository> {
  const options = { clock: systemClock, signal, conditionalPut: true, unlock: undefined, label: 'test' };
  return initRepository(storage, options);
}

async function backUp(
  { repository }: Lab,
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
async function stalled(lab: Lab, backup: string, lockedStallMs?: number): Promise<number> {
  const limitMs = lockedStallMs ?? defaultMs;
  await using committers = await startCommitting(database.socket, 3);
  let lockedAt = Infinity;
  const onLog = (line: string): void => {
    if (!/BACKUP STAGE BLOCK_COMMIT/.test(line)) return;
    lockedAt = Math.min(lockedAt, performance.now());
    lab.stall();
  };
  const attempt = backUp(lab, backup, { onLog, ...(lockedStallMs === undefined ? {} : { lockedStallMs }) });
  await expect(attempt).rejects.toMatchObject({ code: 'store-stalled-while-locked', nextStep: expect.any(String) });
  expect(performance.now() - lockedAt, 'until the attempt has ended').toBeLessThan(limitMs + neverSlackMs);
  const heldMs = await committers.held(limitMs * 0.8);
  lab.recover();
  process.stdout.write(`commits waited at most ${Math.round(heldMs)} ms, the limit is ${limitMs} ms\n`);
  return heldMs;
}

it.each([
  ['a bucket', () => onS3],
  ['a directory', () => inDirectory],
])('%s that stalls while the server is locked holds commits for no longer than the limit', async (_, find) => {
  const lab = find();
  const backup = nextBackupId();
  const [enoughMs, neverMs] = [shortMs + slackMs, shortMs + neverSlackMs];
  expect(await atBest(enoughMs, () => stalled(lab, backup, shortMs), { neverMs })).toBeLessThan(enoughMs);
  expect((await listBackups(lab.repository, { signal })).map(({ state }) => state)).toEqual(['unsettled']);

  const log: string[] = [];
  const sealed = await backUp(lab, backup, { onLog: (line) => log.push(line) });
  expect(sealed).toMatchObject({ state: 'sealed', backup });
  expect(log.join('\n')).toMatch(/, \d+ segments of earlier attempts are there/);
});

it('the limit is ten seconds where nobody says otherwise', async () => {
  expect(backupRequestSchema.shape.lockedStallSeconds.parse(undefined)).toBe(defaultMs / 1000);
  const [enoughMs, neverMs] = [defaultMs + slackMs, defaultMs + neverSlackMs];
  expect(await atBest(enoughMs, () => stalled(onS3, nextBackupId()), { neverMs })).toBeLessThan(enoughMs);
});
