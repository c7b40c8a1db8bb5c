import { access, constants, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { describe, it } from 'vitest';
import { chooseEngine } from '../../src/engine/choose-engine.ts';
import { findEngines } from '../../src/engine/find-engines.ts';
import { readServerFacts } from '../../src/engine/server-facts.ts';
import { run } from '../../scripts/setup/run.ts';
import { type Child, startChild, waitUntil } from '../support/child.ts';
import { serverUser } from '../support/server-user.ts';
import { describeEngine, type EngineBench, newFolder } from './engine.ts';

const path = process.env['PATH'] ?? '';
const password = `Gr8#pw'"x`;
const absent: string[] = [];
for (const name of ['xtrabackup', 'mysqld']) if (!(await onPath(name))) absent.push(name);

if (absent.length === 0) describeEngine('xtrabackup', makeBench);
else {
  describe('engine xtrabackup', () => {
    it('backs up a real server', ({ skip }) => skip(`not on the PATH: ${absent.join(', ')}`));
  });
}

async function onPath(name: string): Promise<boolean> {
  const tries = path.split(delimiter).map((folder) => access(join(folder, name), constants.X_OK));
  return (await Promise.allSettled(tries)).some(({ status }) => status === 'fulfilled');
}

async function makeBench(): Promise<EngineBench> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = cleanUp.use(await newFolder());
  const data = join(folder.path, 'data');
  await mkdir(data);
  await serverUser().own(folder.path);
  await run('mysqld', ['--no-defaults', ...serverUser().arguments, '--initialize-insecure', `--datadir=${data}`]);
  const server = cleanUp.use(await startMysql(data, join(folder.path, 's.sock')));
  await server.query(`CREATE USER bk@localhost IDENTIFIED BY '${password.replaceAll("'", "''")}'`);
  await server.query('GRANT BACKUP_ADMIN, PROCESS, RELOAD, LOCK TABLES, REPLICATION CLIENT ON *.* TO bk@localhost');
  for (const table of ['log_status', 'keyring_component_status', 'replication_group_members']) {
    await server.query(`GRANT SELECT ON performance_schema.${table} TO bk@localhost`);
  }
  await server.query('CREATE DATABASE app');
  await server.query('CREATE TABLE app.notes (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(500))');
  await server.query("INSERT INTO app.notes (text) VALUES (REPEAT('a', 500)), (REPEAT('b', 500))");
  for (let doubling = 0; doubling < 14; doubling += 1) {
    await server.query('INSERT INTO app.notes (text) SELECT MD5(id) FROM app.notes');
  }
  const connection = { socket: server.socket, user: 'bk', password };
  const signal = new AbortController().signal;
  const facts = await readServerFacts(connection, { signal });
  const { engine, findings } = chooseEngine(facts, (await findEngines({ path, signal })).engines);
  if (!engine) throw new Error(`no engine for ${facts.version}: ${JSON.stringify(findings)}`);
  const resources = cleanUp.move();
  return {
    engine,
    server: connection,
    checksums: () => server.query('CHECKSUM TABLE app.notes'),
    checksumsOf: async (directory) => {
      await serverUser().own(directory);
      await using restored = await startMysql(directory, `${directory}.sock`);
      return await restored.query('CHECKSUM TABLE app.notes');
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

interface Mysql extends AsyncDisposable {
  readonly socket: string;
  /** The rows as JSON. */
  query(sql: string): Promise<string>;
}

async function startMysql(data: string, socket: string): Promise<Mysql> {
  const options = [`--datadir=${data}`, `--socket=${socket}`, '--skip-networking', '--mysqlx=OFF', '--log-bin=bin'];
  const child: Child = startChild('mysqld', ['--no-defaults', ...serverUser().arguments, ...options]);
  const query = async (sql: string): Promise<string> => {
    const connection = await createConnection({ socketPath: socket, user: 'root' });
    try {
      const [rows] = await connection.query<RowDataPacket[]>(sql);
      return JSON.stringify(rows);
    } finally {
      connection.destroy();
    }
  };
  const answers = (): Promise<boolean> =>
    query('SELECT 1').then(
      () => true,
      () => false,
    );
  await waitUntil(answers, { child, what: 'mysqld' });
  return { socket, query, [Symbol.asyncDispose]: () => child.end('SIGTERM') };
}
