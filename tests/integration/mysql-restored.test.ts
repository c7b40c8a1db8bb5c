import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkDrill } from '../../src/core/drill-check.ts';
import { settleLogIndexes } from '../../src/core/log-index.ts';
import { settleServer } from '../../src/core/restored-server.ts';
import { startScratchServer } from '../../src/core/scratch-server.ts';
import { findServerUsing } from '../../src/core/server-using.ts';
import { readServerFacts } from '../../src/engine/server-facts.ts';
import { Sql } from '../../src/engine/sql.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { run } from '../../scripts/setup/run.ts';
import { mysqlOf } from '../support/mysql-series.ts';
import { makePreparedMysql } from '../support/prepared-mysql.ts';
import { type DatabaseServer, startMysql } from '../support/servers.ts';
import { serverUser } from '../support/server-user.ts';
import { countOf, until } from '../support/replicas.ts';

const signal = new AbortController().signal;
const { bin, version, whyNot } = mysqlOf('9.7');
const gtids = ['--gtid-mode=ON', '--enforce-gtid-consistency=ON'];

/** A replica of MySQL, stopped in order, laid out as xtrabackup leaves a prepared backup. */
describe('MySQL 9.7 on the backup of a replica', () => {
  const stack = new AsyncDisposableStack();
  let root: string;
  let source: DatabaseServer;
  let identity: string;
  let sum: string | undefined;
  let variables: Readonly<Record<string, string>>;

  beforeAll(async () => {
    if (whyNot !== undefined) return;
    root = await mkdtemp(join(tmpdir(), 'hf-replica-'));
    await serverUser().own(root);
    stack.defer(() => rm(root, { recursive: true, force: true }));
    source = stack.use(await startMysql({ bin, options: ['--server-id=11', '--log-bin=bin', ...gtids] }));
    await source.query(`CREATE USER repl@'127.0.0.1' IDENTIFIED BY 'secret'; GRANT REPLICATION SLAVE ON *.* TO repl@'127.0.0.1';
      CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY); INSERT INTO app.t VALUES (1);
      CREATE TABLE app.ticks (at DATETIME(6)); CREATE VIEW app.seen AS SELECT id FROM app.t`);
    await using replica = await startMysql({ bin, options: ['--server-id=12', '--log-bin=bin', ...gtids] });
    await replica.query(`CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=${source.port}, SOURCE_USER='repl',
      SOURCE_PASSWORD='secret', SOURCE_AUTO_POSITION=1, SOURCE_SSL=0, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1; START REPLICA`);
    await until(async () => (await countOf(replica, 'app.ticks')) === 0);
    await replica.query('CREATE EVENT app.tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO app.ticks VALUES (NOW(6))');
    const facts = await readServerFacts({ socket: replica.socket, user: 'root' }, { signal });
    expect(facts).toMatchObject({
      vendor: 'MySQL',
      tablespacesOutside: [],
      gtid: expect.stringMatching(/^[0-9a-f-]{36}:1-/),
    });
    expect(facts.version).toContain(version);
    ({ identity, variables } = facts);
    sum = (await replica.query('CHECKSUM TABLE app.t'))[0]?.[1];
    await makePreparedMysql(replica, join(root, 'backup'));
  });
  beforeEach(({ skip }) => skip(whyNot !== undefined, whyNot));
  afterAll(() => stack.disposeAsync());

  /** Of a restore, before a server has seen it. */
  async function restored(name: string): Promise<string> {
    await run('cp', ['-a', join(root, 'backup'), join(root, name)]);
    await serverUser().own(join(root, name));
    return join(root, name);
  }

  test('replicates by itself where nobody says that it shall not', async () => {
    const dataDirectory = await restored('start');
    await using server = await startMysql({ bin, dataDirectory, options: ['--server-id=13', ...gtids] });
    await until(async () => (await replicationOf(server)).join() === 'ON,ON');
    await source.query('INSERT INTO app.t VALUES (2)');
    await until(async () => (await countOf(server, 'app.t')) === 2);
  });

  test('does not where it shall not, has an identity of its own, and tells from where it could', async () => {
    const dataDirectory = await restored('stopped');
    const wish = { identity: 'new', replication: 'stopped' } as const;
    await settleServer(dataDirectory, wish, {
      server: { vendor: 'MySQL', version },
      replaced: undefined,
      clock: systemClock,
    });
    await serverUser().own(dataDirectory);
    for (const start of ['first', 'second']) {
      await using server = await startMysql({ bin, dataDirectory, options: ['--server-id=14', ...gtids] });
      await sleep(1_500);
      expect(await replicationOf(server), start).toEqual(['OFF', 'OFF']);
      expect(await server.query('SELECT @@skip_replica_start')).toEqual([['1']]);
      const [[uuid = '', gtid = ''] = []] = await server.query('SELECT @@server_uuid, @@gtid_executed');
      expect(uuid).toMatch(/^[0-9a-f-]{36}$/);
      expect(uuid).not.toBe(identity);
      expect(gtid).toMatch(/^[0-9a-f-]{36}:1-\d+/);
      const [status] = await server.query('SHOW REPLICA STATUS');
      expect(status).toContain(String(source.port));
      expect(await replicasOf(source)).not.toContain('14');
      await server.stop();
    }
    // What a person then does, as docs/restore.md has it.
    await using server = await startMysql({ bin, dataDirectory, options: ['--server-id=14', ...gtids] });
    await server.query('START REPLICA; RESET PERSIST skip_replica_start');
    await until(async () => (await replicationOf(server)).join() === 'ON,ON');
    expect(await readFile(join(dataDirectory, 'mysqld-auto.cnf'), 'utf8')).not.toContain('skip_replica_start');
  });

  test('takes no binary log of the source for its own', async () => {
    const dataDirectory = await restored('logs');
    const live = join(root, 'live');
    await mkdir(live);
    // As xtrabackup copies the line of a server whose logs lie elsewhere.
    const [name = ''] = (await readdir(dataDirectory)).filter((each) => /^bin\.\d+$/.test(each));
    await writeFile(join(live, name), await readFile(join(dataDirectory, name)));
    await writeFile(join(dataDirectory, 'bin.index'), `${join(live, name)}\n`);
    await settleLogIndexes(dataDirectory);
    for (const each of [live, dataDirectory]) await serverUser().own(each);
    const options = ['--server-id=16', '--log-bin=bin', '--skip-replica-start', ...gtids];
    await using server = await startMysql({ bin, dataDirectory, options });
    await server.query('FLUSH BINARY LOGS; PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY');
    expect(await readdir(live)).toEqual([name]);
    expect(await readdir(dataDirectory)).not.toContain(name);
  });

  test('keeps the identity of the server that it replaces where that is wished', async () => {
    const [dataDirectory, replaced] = [await restored('kept'), join(root, 'replaced')];
    const uuid = '11111111-2222-3333-4444-555555555555';
    await mkdir(replaced);
    await writeFile(join(replaced, 'auto.cnf'), `[auto]\nserver-uuid=${uuid}\n`);
    const options = { server: { vendor: 'MySQL', version }, replaced, clock: systemClock } as const;
    await settleServer(dataDirectory, { identity: 'keep', replication: 'stopped' }, options);
    await serverUser().own(dataDirectory);
    await using server = await startMysql({ bin, dataDirectory, options: ['--server-id=15', ...gtids] });
    expect(await server.query('SELECT @@server_uuid')).toEqual([[uuid]]);
  });

  test('reaches nobody as the server of a drill, and every table is found good', async () => {
    const dataDirectory = await restored('drill');
    {
      await using scratch = await startScratchServer({
        program: join(bin, 'mysqld'),
        vendor: 'MySQL',
        dataDirectory,
        variables,
        connect: (socket, options) => Sql.connect({ socket, user: 'root' }, { ...options, timeoutMs: 60_000 }),
        signal,
      });
      const [own] = await scratch.query(
        'SELECT @@server_id AS id, @@log_bin AS log, @@event_scheduler AS events, @@port AS port',
      );
      expect(own).toEqual({ id: String(scratch.serverId), log: '0', events: 'DISABLED', port: '0' });
      expect(await scratch.query('SHOW REPLICA STATUS')).toMatchObject([
        { Replica_IO_Running: 'No', Replica_SQL_Running: 'No' },
      ]);
      const query = async (sql: string) => scratch.query(sql);
      const checked = await checkDrill({ query, signal, depth: 'extended', withChecksums: true });
      expect(checked).toMatchObject({ errors: [], unchecked: [], views: expect.any(Number) });
      expect(Object.keys(checked.checksums).toSorted()).toEqual(['app.t', 'app.ticks']);
      expect(checked.checksums['app.t']).toBe(sum);
      expect(await replicasOf(source)).not.toContain(String(scratch.serverId));
    }
    expect(await findServerUsing(dataDirectory)).toBeUndefined();
    await access(join(dataDirectory, 'auto.cnf'));
  });
});

/** Connection and applier, of the one channel. */
async function replicationOf(server: DatabaseServer): Promise<string[]> {
  await using sql = await Sql.connect({ socket: server.socket, user: 'root' }, { signal });
  const [status] = await sql.query('SHOW REPLICA STATUS');
  return ['Replica_IO_Running', 'Replica_SQL_Running'].map((name) => (status?.[name] === 'Yes' ? 'ON' : 'OFF'));
}

/** Ids of the servers that have told the source of themselves. */
async function replicasOf(server: DatabaseServer): Promise<(string | undefined)[]> {
  return (await server.query('SHOW REPLICAS')).map(([id]) => id);
}
