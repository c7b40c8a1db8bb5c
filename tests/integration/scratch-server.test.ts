import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkDrill } from '../../src/core/drill-check.ts';
import { giveTo, ownershipFor } from '../../src/core/ownership.ts';
import { type ScratchServerOptions, startScratchServer } from '../../src/core/scratch-server.ts';
import { findServerUsing } from '../../src/core/server-using.ts';
import { Sql } from '../../src/engine/sql.ts';
import { makePreparedBackup } from '../support/prepared-backup.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';
import { serverUser } from '../support/server-user.ts';
import { countOf, until } from '../support/replicas.ts';

const run = promisify(execFile);
const signal = new AbortController().signal;
const connect: ScratchServerOptions['connect'] = (socket, options) =>
  Sql.connect({ socket, user: 'root' }, { ...options, timeoutMs: 60_000 });
const bins = {
  '10.11': process.env['HOLDFAST_TEST_MARIADB_10_11'] ?? '',
  '11.8': process.env['HOLDFAST_TEST_MARIADB_SID'] ?? '',
};

describe.each(Object.entries(bins))('a scratch server of MariaDB %s on the backup of a replica', (series, bin) => {
  const running = bin !== '';
  const stack = new AsyncDisposableStack();
  let root: string;
  let source: MariadbServer;
  let replica: MariadbServer;
  let variables: Record<string, string>;

  beforeAll(async () => {
    if (!running) return;
    root = await mkdtemp(join(tmpdir(), 'holdfast-scratch-'));
    await serverUser().own(root);
    stack.defer(() => rm(root, { recursive: true }));
    source = stack.use(
      await startMariadb({
        bin,
        options: ['--server-id=11', '--log-bin=bin', '--general-log', '--general-log-file=queries.log'],
      }),
    );
    replica = stack.use(
      await startMariadb({
        bin,
        options: [
          '--server-id=12',
          '--log-bin=bin',
          '--log-slave-updates',
          '--event-scheduler=ON',
          '--report-host=replica',
        ],
      }),
    );
    await source.query(
      "CREATE USER repl@'127.0.0.1' IDENTIFIED BY 'secret'; GRANT REPLICATION SLAVE ON *.* TO repl@'127.0.0.1'",
    );
    await replica.query(
      `CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${source.port}, MASTER_USER='repl', MASTER_PASSWORD='secret', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1; START SLAVE`,
    );
    await source.query(fill);
    await until(
      async () => (await countOf(replica, 'app.rows_aria')) === 500 && (await countOf(replica, 'app.ticks')) === 0,
    );
    // An event of the replica's own, enabled and due every second.
    await replica.query(
      'SET sql_log_bin=0; CREATE EVENT app.tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO app.ticks VALUES (NOW(6))',
    );
    await until(async () => (await countOf(replica, 'app.ticks')) > 0);
    await makePreparedBackup(replica, join(root, 'data'));
    // The tool leaves these out. With them, any server that may replicate reaches for the source as soon as it starts.
    for (const name of ['master.info', 'multi-master.info']) {
      await cp(join(replica.dataDirectory, name), join(root, 'data', name));
    }
    await giveTo(join(root, 'data'), ownershipFor(serverUser()), { signal });
    variables = Object.fromEntries(
      (await replica.query('SHOW GLOBAL VARIABLES')).map(([name, value]) => [name, value ?? '']),
    );
  });

  beforeEach(({ skip }) => skip(!running, `no MariaDB ${series} was found`));

  afterAll(() => stack.disposeAsync());

  const start = (more: Partial<ScratchServerOptions> = {}) =>
    startScratchServer({
      program: join(bin, 'mariadbd'),
      vendor: 'MariaDB',
      dataDirectory: join(root, 'data'),
      variables,
      connect,
      signal,
      ...more,
    });

  test('reaches nobody: the source notices nothing, no event runs, no port is open', async () => {
    const before = await seenBy(source);
    const slaveStatus = await replica.query('SHOW SLAVE HOSTS');
    {
      await using scratch = await start();
      const ticks = await scratch.query('SELECT COUNT(*) AS n FROM app.ticks');
      await sleep(2_500);
      expect(await scratch.query('SELECT COUNT(*) AS n FROM app.ticks')).toEqual(ticks);
      expect(
        await scratch.query(
          "SELECT VARIABLE_NAME AS n FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME='SLAVES_RUNNING' AND VARIABLE_VALUE='0'",
        ),
      ).toHaveLength(1);
      expect(await listeningSockets(scratch.pid)).toEqual({ tcp: 0, unix: 1 });
      const [own] = await scratch.query(
        'SELECT @@server_id AS id, @@log_bin AS log, @@event_scheduler AS events, @@report_host AS host',
      );
      expect(own).toEqual({ id: String(scratch.serverId), log: '0', events: 'DISABLED', host: null });
      expect(['11', '12']).not.toContain(own?.['id']);
      // What it would do as a replica is all there, and yet it does nothing.
      expect(await scratch.query('SHOW ALL SLAVES STATUS')).toMatchObject([
        { Slave_IO_Running: 'No', Slave_SQL_Running: 'No' },
      ]);
    }
    expect(await seenBy(source)).toEqual(before);
    expect(await replica.query('SHOW SLAVE HOSTS')).toEqual(slaveStatus);
    // Without it being there this test would prove nothing.
    expect(before.hosts).toEqual([expect.stringContaining('12')]);
    expect(await findServerUsing(join(root, 'data'))).toBeUndefined();
  });

  test('finds every table good, with the checksums of the source', async () => {
    await using scratch = await start();
    const progress: number[] = [];
    const result = await checkDrill({
      query: (sql) => scratch.query(sql),
      signal,
      depth: 'extended',
      withChecksums: true,
      onProgress: ({ done }) => progress.push(done),
    });
    expect(result.errors).toEqual([]);
    expect(result.unchecked).toEqual([]);
    expect(progress.at(-1)).toBe(result.tables);
    expect(result.views).toBeGreaterThan(0);
    const names = ['app.rows_innodb', 'app.rows_aria', 'app.rows_myisam', 'app.odd`name'];
    expect(Object.keys(result.checksums).toSorted()).toEqual([...names, 'app.ticks'].toSorted());
    const sums = await source.query('CHECKSUM TABLE app.rows_innodb, app.rows_aria, app.rows_myisam, app.`odd``name`');
    expect(names.map((name) => result.checksums[name])).toEqual(sums.map(([, sum]) => sum));
  });

  if (series !== '10.11') return;

  test('tells a lost and a damaged table, and goes on', async () => {
    const damaged = join(root, 'damaged');
    await cp(join(root, 'data'), damaged, { recursive: true });
    await rm(join(damaged, 'app', 'rows_innodb.ibd'));
    await writeFile(join(damaged, 'app', 'rows_myisam.MYD'), 'short');
    await giveTo(damaged, ownershipFor(serverUser()), { signal });
    await using scratch = await start({ dataDirectory: damaged });
    const { errors } = await checkDrill({ query: (sql) => scratch.query(sql), signal, withChecksums: true });
    expect([...new Set(errors.map(({ table }) => table))]).toEqual(['app.rows_innodb', 'app.rows_myisam']);
  });

  test('that cannot start ends with the last lines of its log, and leaves nothing behind', async () => {
    const broken = join(root, 'broken');
    await cp(join(root, 'data'), broken, { recursive: true });
    await writeFile(join(broken, 'ibdata1'), 'nothing');
    await giveTo(broken, ownershipFor(serverUser()), { signal });
    const before = await holdfastFolders();
    await expect(start({ dataDirectory: broken })).rejects.toMatchObject({
      code: 'scratch-server-ended',
      evidence: expect.arrayContaining([expect.stringContaining('ibdata1')]),
    });
    expect(await holdfastFolders()).toEqual(before);
    expect(await findServerUsing(broken)).toBeUndefined();
  });

  test('is gone when it is cancelled while it starts', async () => {
    const controller = new AbortController();
    const starting = start({
      signal: controller.signal,
      connect: async () => {
        controller.abort(new Error('enough'));
        throw new Error('too late');
      },
    });
    await expect(starting).rejects.toThrow('enough');
    expect(await findServerUsing(join(root, 'data'))).toBeUndefined();
  });
});

const fill = `
  CREATE DATABASE app; USE app;
  CREATE TABLE rows_innodb (id INT PRIMARY KEY, t TEXT) ENGINE=InnoDB SELECT seq AS id, REPEAT('i', seq) AS t FROM seq_1_to_500;
  CREATE TABLE rows_aria (id INT PRIMARY KEY, t TEXT) ENGINE=Aria SELECT seq AS id, REPEAT('a', seq) AS t FROM seq_1_to_500;
  CREATE TABLE rows_myisam (id INT PRIMARY KEY, t CHAR(200)) ENGINE=MyISAM SELECT seq AS id, 'm' AS t FROM seq_1_to_500;
  CREATE TABLE \`odd\`\`name\` (id INT PRIMARY KEY);
  CREATE TABLE ticks (at DATETIME(6)) ENGINE=InnoDB;
  CREATE VIEW both_engines AS SELECT i.id FROM rows_innodb i JOIN rows_aria a USING (id);`;

/** Everything by which a server could tell that someone came, but for the one connection that asks. */
async function seenBy(source: MariadbServer) {
  const logged = await readFile(join(source.dataDirectory, 'queries.log'), 'utf8');
  const status = await source.query(
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Slaves_connected', 'Aborted_connects', 'Access_denied_errors')",
  );
  const threads = await source.query("SELECT USER FROM information_schema.PROCESSLIST WHERE USER <> 'root' ORDER BY 1");
  const hosts = (await source.query('SHOW SLAVE HOSTS')).map((row) => row.join(' '));
  // Who connected, by all lines that say so but this test's own.
  const connects = logged.split('\n').filter((line) => line.includes('Connect') && !line.includes('root@localhost'));
  return { connects, status, threads, hosts };
}

async function listeningSockets(pid: number): Promise<{ tcp: number; unix: number }> {
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) =>
      run('readlink', [`/proc/${pid}/fd/${fd}`]).then(
        ({ stdout }) => stdout.trim(),
        () => '',
      ),
    ),
  );
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const count = async (table: string, matches: (columns: string[]) => string | undefined): Promise<number> => {
    const lines = (await readFile(`/proc/${pid}/net/${table}`, 'utf8')).split('\n').slice(1);
    return lines.filter((line) => inodes.has(matches(line.trim().split(/\s+/)) ?? 'none')).length;
  };
  const tcp = async (table: string) => count(table, (columns) => (columns[3] === '0A' ? columns[9] : undefined));
  return {
    tcp: (await tcp('tcp')) + (await tcp('tcp6')),
    // Flag 10000 is a socket that listens.
    unix: await count('unix', (columns) => (columns[3] === '00010000' ? columns[6] : undefined)),
  };
}

/** Those of this process: others may have some. */
async function holdfastFolders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith(`holdfast-scratch-${process.pid}-`)).toSorted();
}
