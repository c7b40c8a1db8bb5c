import { readdir, readFile, truncate } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  backupPassword,
  backupUser,
  engineFor,
  makeMariadbBench,
  mariadbPrograms,
} from '../contract/engine-mariadb-bench.ts';
import { drain, extract, newFolder } from '../contract/engine.ts';
import type { BackupRun, ServerConnection } from '../../src/engine/engine.ts';
import { readServerFacts } from '../../src/engine/server-facts.ts';
import { atBest } from '../support/at-best.ts';
import { startRelay } from '../support/relay.ts';
import { startMariadb } from '../support/servers.ts';

type Bench = Awaited<ReturnType<typeof makeMariadbBench>>;

const signal = new AbortController().signal;
const bin = (await mariadbPrograms('10.11')) ?? '';

describe('a backup whose', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await makeMariadbBench(bin);
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  function backup(server: ServerConnection = bench.server): BackupRun {
    return bench.engine.backup(server, { signal, onLog: () => undefined });
  }

  it('server is killed ends within seconds, long before all files are copied', async () => {
    const endedMs = await atBest(6_000, async () => {
      await using own = await makeMariadbBench(bin);
      let killedAt = 0;
      const reading = slowly(own.engine.backup(own.server, { signal, onLog: () => undefined }), async () => {
        killedAt ||= (await own.database.kill(), performance.now());
      });
      await expect(reading).rejects.toMatchObject({ code: 'server-lost', nextStep: expect.any(String) });
      return performance.now() - killedAt;
    });
    expect(endedMs).toBeLessThan(6_000);
  });

  it('server is replaced by a new start ends, though the new one answers', async () => {
    const { database } = bench;
    const user = `${backupUser}@127.0.0.1`;
    await database.query(
      `CREATE USER ${user} IDENTIFIED BY 'pw'; GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO ${user}`,
    );
    // The watch allows for three seconds.
    await sleep(4_000);
    let isThere: Promise<unknown> = Promise.resolve();
    await using relay = await startRelay(database.port, async () => isThere);
    const run = backup({ host: '127.0.0.1', port: relay.port, user: backupUser, password: 'pw' });
    const restart = async (): Promise<AsyncDisposable> => {
      await database.kill();
      return startMariadb({
        bin,
        dataDirectory: database.dataDirectory,
        options: [`--port=${database.port}`, '--log-bin=bin'],
      });
    };
    let restarted: Promise<AsyncDisposable> | undefined;
    const reading = slowly(run, async () => {
      restarted ??= restart();
      await (isThere = restarted);
    });
    await expect(reading).rejects.toMatchObject({
      code: 'server-lost',
      message: expect.stringContaining('started anew'),
    });
    await (await restarted)?.[Symbol.asyncDispose]();
  });

  it('watching connection is killed goes on', async () => {
    const log: string[] = [];
    const run = bench.engine.backup(bench.server, { signal, onLog: (line) => log.push(line) });
    let killed = false;
    await drain(run, async () => {
      if (killed) return;
      killed = true;
      const oldest = `SELECT MIN(id) FROM information_schema.processlist WHERE user = '${backupUser}'`;
      const [row] = await bench.database.query(oldest);
      await bench.database.query(`KILL ${row?.[0]}`);
      await sleep(1_500);
    });
    expect(log.join('\n')).toContain('the connection that watches the server broke');
    expect(run.facts().toLsn).toMatch(/^\d+$/);
  });

  it('tool is killed says so', async () => {
    const reading = slowly(backup(), async () => {
      for (const pid of await toolPids()) process.kill(pid, 'SIGKILL');
    });
    await expect(reading).rejects.toMatchObject({
      name: 'ToolFailed',
      code: 'tool-killed',
      message: expect.stringContaining('SIGKILL'),
    });
  });

  it('user lacks a privilege that the tool misses only at the end is warned of before', async () => {
    await bench.database.query(`REVOKE BINLOG MONITOR ON *.* FROM ${backupUser}@localhost`);
    const facts = await readServerFacts(bench.server, { signal });
    const findings = await bench.engine.preflight(bench.server, facts, { signal });
    expect(findings).toContainEqual(
      expect.objectContaining({
        level: 'error',
        nextStep: `Run GRANT BINLOG MONITOR ON *.* TO '${backupUser}'@'localhost';`,
      }),
    );
    await expect(drain(backup())).rejects.toMatchObject({
      name: 'PermanentFailure',
      code: 'missing-privilege',
      evidence: expect.arrayContaining([expect.stringContaining('BINLOG MONITOR')]),
    });
  });

  it('user has its privileges by a default role is fine, by another role is not', async () => {
    await bench.database.query(
      `REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${backupUser}@localhost; CREATE ROLE backups;
       GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO backups; GRANT backups TO ${backupUser}@localhost`,
    );
    const facts = await readServerFacts(bench.server, { signal });
    const levels = async (): Promise<string | undefined> => {
      const findings = await bench.engine.preflight(bench.server, facts, { signal });
      return findings.find(({ message }) => message.includes('privileges'))?.level;
    };
    expect(await levels()).toBe('error');
    await expect(drain(backup())).rejects.toMatchObject({ code: 'missing-privilege' });
    await bench.database.query(`SET DEFAULT ROLE backups FOR ${backupUser}@localhost`);
    expect(await levels()).toBe('ok');
    await expect(drain(backup())).resolves.toBeUndefined();
  });

  it('files changed since are not prepared, and the reason is named', async () => {
    await using folder = await newFolder();
    await extract(backup(), folder.path);
    await truncate(`${folder.path}/ib_logfile0`, 600);
    await expect(bench.engine.prepare(folder.path, { signal, onLog: () => undefined })).rejects.toMatchObject({
      name: 'ToolFailed',
    });
  });
});

it('a server without binary log needs no privilege for it, and has no position', async () => {
  await using database = await startMariadb({ bin });
  await database.query("CREATE USER bk@localhost IDENTIFIED BY 'pw'; GRANT RELOAD, PROCESS ON *.* TO bk@localhost");
  const server = { socket: database.socket, user: 'bk', password: 'pw' };
  const engine = await engineFor(database);
  const facts = await readServerFacts(server, { signal });
  const findings = await engine.preflight(server, facts, { signal });
  expect(findings.map(({ level }) => level)).toEqual(['ok', 'ok', 'ok', 'ok']);
  const run = engine.backup(server, { signal, onLog: () => undefined });
  await drain(run);
  expect(run.facts().binlog).toBeUndefined();
});

it('a server tells what it is, and no secrets', async () => {
  await using database = await startMariadb({
    bin,
    options: ['--log-bin=bin', '--server-id=7', `--report-password=${backupPassword}`],
  });
  const facts = await readServerFacts({ socket: database.socket, user: 'root' }, { signal });
  expect(facts).toMatchObject({
    vendor: 'MariaDB',
    version: expect.stringMatching(/^10\.11\./),
    dataDirectory: database.dataDirectory,
    gtid: '',
  });
  expect(facts.identity).toContain(':7:');
  expect(facts.dataBytes).toBeGreaterThan(10_000_000);
  expect(facts.variables['report_password']).toBe('***');
  expect(JSON.stringify(facts)).not.toContain('s3cr');
});

/** Reads a batch every 25 ms, so that the run lasts long enough for something to happen. */
async function slowly(run: BackupRun, onBatch: () => Promise<void>): Promise<void> {
  for await (const batch of run.pieces) {
    if (batch.length > 0) await onBatch();
    await sleep(25);
  }
}

/** Backup tools that this process started. */
async function toolPids(): Promise<number[]> {
  const own: number[] = [];
  for (const name of await readdir('/proc')) {
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    const command = parent === process.pid ? await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '') : '';
    if (command.includes('--stream=xbstream')) own.push(Number(name));
  }
  return own;
}
