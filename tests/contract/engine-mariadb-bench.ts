import { ensureMariadb, ensureMariadbSid } from '../../scripts/setup/mariadb.ts';
import { chooseEngine } from '../../src/engine/choose-engine.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { findEngines } from '../../src/engine/find-engines.ts';
import { readServerFacts } from '../../src/engine/server-facts.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';
import type { EngineBench } from './engine.ts';

export const backupUser = 'bk';
/** Everything that option files and shells could stumble over. */
export const backupPassword = `s3cr#t '"\\x`;

/** Programs of MariaDB 10.11, or of whatever the development distribution holds today; undefined where it is not to be had. */
export async function mariadbPrograms(which: '10.11' | 'newest'): Promise<string | undefined> {
  const tools = which === '10.11' ? await ensureMariadb() : await ensureMariadbSid();
  return tools?.bin;
}

export async function makeMariadbBench(bin: string): Promise<EngineBench & { readonly database: MariadbServer }> {
  const database = await startMariadb({ bin, options: ['--log-bin=bin', '--server-id=1'] });
  await fill(database);
  const server = { socket: database.socket, user: backupUser, password: backupPassword };
  return {
    engine: await engineFor(database),
    server,
    database,
    checksums: () => checksums(database),
    checksumsOf: async (directory) => {
      await database.user.own(directory);
      await using restored = await startMariadb({ bin, dataDirectory: directory });
      return await checksums(restored);
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** The engine that the product itself would choose for the server. */
export async function engineFor(database: MariadbServer): Promise<Engine> {
  const signal = new AbortController().signal;
  const { engines } = await findEngines({ path: `${database.bin}:/usr/bin:/bin`, signal });
  const facts = await readServerFacts({ socket: database.socket, user: 'root' }, { signal });
  const { engine, findings } = chooseEngine(facts, engines);
  if (!engine) throw new Error(`no engine for ${facts.version}: ${JSON.stringify(findings)}`);
  return engine;
}

async function fill(database: MariadbServer): Promise<void> {
  const password = backupPassword.replaceAll(/['\\]/g, (char) => `\\${char}`);
  await database.query(`
    CREATE USER ${backupUser}@localhost IDENTIFIED BY '${password}';
    GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO ${backupUser}@localhost;
    CREATE DATABASE app; USE app;
    CREATE TABLE notes (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(600), changed INT DEFAULT 0);
    INSERT INTO notes (text) SELECT CONCAT(MD5(seq), REPEAT(SHA1(seq * 7), 12)) FROM seq_1_to_30000;
    CREATE TABLE packed (id INT PRIMARY KEY, text TEXT) PAGE_COMPRESSED=1;
    INSERT INTO packed SELECT id, text FROM notes LIMIT 3000;
    CREATE TABLE aria (id INT PRIMARY KEY, text TEXT) ENGINE=Aria;
    INSERT INTO aria SELECT id, text FROM notes LIMIT 2000;
    CREATE TABLE myisam (id INT PRIMARY KEY, text TEXT) ENGINE=MyISAM;
    INSERT INTO myisam SELECT id, text FROM notes LIMIT 2000;
    CREATE TABLE \`strange näme/..\` (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3;
    INSERT INTO \`strange näme/..\` SELECT id FROM notes LIMIT 100;
    CREATE VIEW seen AS SELECT COUNT(*) FROM notes; CREATE SEQUENCE numbers;`);
}

async function checksums(database: MariadbServer): Promise<string> {
  const rows = await database.query(`
    CHECKSUM TABLE app.notes, app.packed, app.aria, app.myisam, app.\`strange näme/..\`, mysql.global_priv;
    SELECT * FROM app.seen; SELECT @@gtid_binlog_state IS NOT NULL`);
  return rows.map((row) => row.join(' ')).join('\n');
}
