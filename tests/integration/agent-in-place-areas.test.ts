import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Sql } from '../../src/engine/sql.ts';
import { type AgentHome, backUpAt, clientOf, ending, makeAgentHome, spawnAgent, until } from '../support/agents.ts';
import { killInStep, hasRecovered } from '../support/killed-restore.ts';
import { type ControlledServer, startControlledServer } from '../support/controlled-server.ts';
import { serverUser } from '../support/server-user.ts';
import { smallDisk } from '../support/tmpfs.ts';

const run = promisify(execFile);
const signal = new AbortController().signal;
const bin = process.env['HOLDFAST_TEST_MARIADB_10_11'] ?? '';

/** Undo, redo, binary and relay logs in directories of their own, tables and a database elsewhere; others have files there, too. */
const directories = ['undo', 'redo', 'logs', 'relay', 'fast', 'linked/shop'];
const options = (root: string): string[] => [
  '--innodb-undo-tablespaces=2',
  `--innodb-undo-directory=${root}/undo`,
  `--innodb-log-group-home-dir=${root}/redo`,
  '--innodb-log-file-size=16M',
  `--log-bin=${root}/logs/bin`,
  `--relay-log=${root}/relay/relay`,
  '--slave-net-timeout=5',
  '--server-id=7',
];
const foreign = [
  'undo/notes.txt',
  'logs/bin2.000001',
  'logs/bin2.index',
  'relay/relay-bin.index',
  'fast/app/theirs.ibd',
];
const tables = ['app.near', 'app.far', 'app.parts', 'app.linked', 'shop.s', 'shop.d'];

describe('a restore in place of a server with data in many directories', () => {
  const stack = new AsyncDisposableStack();
  let server: ControlledServer;
  let disk: string;
  let home: AgentHome;
  let backup: string;
  let sums: string;

  beforeAll(async () => {
    disk = stack.use(await newDisk()).path;
    const before = async (root: string): Promise<void> => {
      await rename(join(root, 'data', 'ib_logfile0'), join(root, 'redo', 'ib_logfile0'));
      await symlink(join(root, 'linked', 'shop'), join(root, 'data', 'shop'));
      // In a file system of its own, where this user may mount one, and behind a link on the way to it.
      await rm(join(root, 'fast'), { recursive: true });
      await mkdir(join(disk, 'fast'));
      await symlink(join(disk, 'fast'), join(root, 'fast'));
      await serverUser().own(disk);
    };
    server = stack.use(await startControlledServer({ bin, directories, before, options }));
    const { root } = server;
    // The server moves its undo logs out of the system tablespace when it starts after a clean end.
    await server.query('SET GLOBAL innodb_fast_shutdown = 0');
    await run('/bin/sh', ['-c', `${server.stop} && ${server.start}`]);
    await until(async () => (await server.value('SELECT 1')) === '1');
    expect(await readdir(join(root, 'undo'))).toEqual(['undo001', 'undo002']);
    await server.query(
      'CREATE DATABASE app',
      'CREATE TABLE app.near (id INT PRIMARY KEY)',
      `CREATE TABLE app.far (id INT PRIMARY KEY, text TEXT) DATA DIRECTORY='${root}/fast'`,
      `CREATE TABLE app.parts (id INT PRIMARY KEY) PARTITION BY RANGE (id)
        (PARTITION low VALUES LESS THAN (10) DATA DIRECTORY='${root}/fast', PARTITION high VALUES LESS THAN MAXVALUE)`,
      `CREATE TABLE app.linked (id INT) ENGINE=MyISAM DATA DIRECTORY='${root}/fast' INDEX DIRECTORY='${root}/fast'`,
      'CREATE TABLE shop.s (id INT PRIMARY KEY)',
      `CREATE TABLE shop.d (id INT PRIMARY KEY) DATA DIRECTORY='${root}/fast'`,
      'INSERT INTO app.near VALUES (1), (2)',
      'INSERT INTO app.far SELECT seq, MD5(seq) FROM app.seq_1_to_1000',
      'INSERT INTO app.parts VALUES (1), (20)',
      'INSERT INTO app.linked VALUES (1), (2)',
      'INSERT INTO shop.s VALUES (3)',
      'INSERT INTO shop.d VALUES (4)',
      // Of a source that is not there.
      "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=9, MASTER_USER='x', MASTER_PASSWORD='y'",
      'START SLAVE',
    );
    for (const name of foreign) await writeFile(join(root, name), 'not of this server');
    sums = await checksums();
    expect(sums).not.toContain('NULL');
    const control = { type: 'commands', stop: [server.stop], start: [server.start] };
    home = stack.use(
      await makeAgentHome({
        config: {
          database: { socket: server.socket, user: 'root' },
          toolPath: bin,
          restore: { mayRestoreInPlace: true, control, controlLimitSeconds: 20 },
        },
      }),
    );
    backup = await backUpAt(home);
  });
  afterAll(() => stack.disposeAsync());

  /** Made, changed and dropped since the backup: in every directory something is other than it was. */
  beforeEach(async () => {
    await clearOld();
    await server.query(
      'REPLACE INTO app.near VALUES (9)',
      'DELETE FROM app.far WHERE id > 500',
      'DELETE FROM shop.d',
      'DELETE FROM app.linked',
      `CREATE OR REPLACE TABLE app.since (id INT PRIMARY KEY) DATA DIRECTORY='${server.root}/fast'`,
      'INSERT INTO app.since VALUES (1)',
      'DROP TABLE IF EXISTS app.parts',
      'FLUSH BINARY LOGS',
    );
  });

  test('is told before what becomes of each of them', async () => {
    await using agent = await spawnAgent(home);
    using client = await clientOf(home, agent);
    const { isGo, findings } = await client.preflight({ body: { kind: 'restore', ...wish() }, signal });
    const { root } = server;
    expect(isGo, JSON.stringify(findings)).toBe(true);
    const told = findings.map(({ level, code, message }) => `${level} ${code} ${message}`).join('\n');
    for (const name of ['undo', 'redo', 'logs', 'relay', 'fast/app', 'fast/shop'])
      expect(told).toMatch(new RegExp(`ok outside-exchanged .* in ${await realpath(join(root, name))} `));
    expect(told).toMatch(new RegExp(`warning links-replaced .*${root}/linked/shop`));
  });

  test('brings everything back, keeps all of the old data, and touches nothing of others', async () => {
    const before = await filesIn('undo', 'redo', 'logs', 'relay', 'fast');
    await using agent = await spawnAgent(home);
    using client = await clientOf(home, agent);
    await client.start('restore', 'all', { body: wish(), signal });
    const job = await ending(client, 'restore', 'all');
    expect(job.failure).toBeUndefined();
    expect(await checksums()).toBe(sums);
    expect(await server.value("SHOW TABLES IN app LIKE 'since'")).toBe('');
    await expectOutside();
    expect(await isReplica()).toBe(false);
    expect((await readdir(join(server.root, 'relay'))).filter((name) => !name.startsWith('.'))).toEqual([
      'relay-bin.index',
    ]);

    // What was there is in the places that the result names.
    const { old = '', oldElsewhere = [] } = job.kind === 'restore' ? (job.result ?? {}) : {};
    const { root } = server;
    expect(oldElsewhere).toContain(join(root, 'linked', 'shop'));
    const kept = await Promise.all(
      [old, ...oldElsewhere].map(async (path) => ((await stat(path)).isDirectory() ? readdir(path) : [basename(path)])),
    );
    expect(kept.flat()).toEqual(
      expect.arrayContaining([
        'ibdata1',
        'undo001',
        'ib_logfile0',
        'bin.000001',
        'relay.index',
        'far.ibd',
        'since.ibd',
        'd.ibd',
      ]),
    );
    for (const name of foreign) expect(await readFile(join(root, name), 'utf8')).toBe('not of this server');
    expect(before.map((path) => basename(path))).toEqual(expect.arrayContaining(['bin.000001', 'since.ibd']));
  });

  test('is rolled back everywhere when the server does not answer on the restored data', async () => {
    const before = await checksums();
    await server.query(
      "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=9, MASTER_USER='x', MASTER_PASSWORD='y'",
      'START SLAVE',
    );
    await using agent = await spawnAgent(home);
    using client = await clientOf(home, agent);
    await writeFile(join(server.root, 'no-start'), '');
    await client.start('restore', 'silent', { body: wish(), signal });
    const job = await ending(client, 'restore', 'silent');
    expect(job).toMatchObject({ state: 'Failed', failure: { code: 'restored-server-silent' } });
    expect(job.failure?.nextStep).toContain(join(server.root, 'undo', '.holdfast-restore-'));
    expect(await checksums()).toBe(before);
    expect(await server.value('SELECT COUNT(*) FROM app.since')).toBe('1');
    expect(await isReplica()).toBe(true);
    expect(await readdir(join(server.root, 'relay'))).toContain('relay.index');
    await server.query('STOP SLAVE', 'RESET SLAVE ALL');
  });

  test('ends with the server on its old data where the place for that data is taken', async () => {
    await using agent = await spawnAgent(home);
    using client = await clientOf(home, agent);
    await mkdir(join(server.root, 'undo', '.holdfast-old-taken-1-part', 'x'), { recursive: true });
    await client.start('restore', 'taken', { body: wish(), signal });
    expect(await ending(client, 'restore', 'taken')).toMatchObject({ failure: { code: 'old-not-empty' } });
    expect(await server.value('SELECT COUNT(*) FROM app.since')).toBe('1');
    expect(await leftIn()).toEqual(['.holdfast-old-taken-1-part']);
  });

  test.each(['spread', 'stop', 'place', 'start'])(
    'killed in the step %s: the next agent gives the server back, whole',
    async (step) => {
      const id = `killed-${step}`;
      await killInStep(home, { id, step, wish: wish() });
      await using agent = await spawnAgent(home);
      using client = await clientOf(home, agent);
      await until(async () => hasRecovered(client, wish()));
      const isNew = (await checksums()) === sums;
      if (isNew) await expectOutside();
      expect(await server.value('SELECT GROUP_CONCAT(id ORDER BY id) FROM app.near')).toBe(isNew ? '1,2' : '1,2,9');
      expect(await server.value('SELECT COUNT(*) FROM app.far')).toBe(isNew ? '1000' : '500');
      expect((await leftIn()).filter((name) => !name.startsWith('.holdfast-old-'))).toEqual([]);
    },
  );

  const wish = () => ({ attempt: 1, backup, location: 'main', target: { inPlace: true } as const });

  async function checksums(): Promise<string> {
    await using sql = await Sql.connect({ socket: server.socket, user: 'root' }, { signal });
    const rows = await sql.query(`CHECKSUM TABLE ${tables.join(', ')}`);
    return rows.map((row) => Object.values(row).join(' ')).join('\n');
  }

  async function isReplica(): Promise<boolean> {
    await using sql = await Sql.connect({ socket: server.socket, user: 'root' }, { signal });
    return (await sql.query('SHOW ALL SLAVES STATUS')).length > 0;
  }

  /** The restored files lie where the server keeps such files, and belong to its user. */
  async function expectOutside(): Promise<void> {
    const { root } = server;
    for (const name of ['undo/undo001', 'redo/ib_logfile0', 'fast/app/far.ibd', 'fast/shop/d.ibd'])
      expect(await stat(join(root, name)), name).toMatchObject({ uid: serverUser().uid, gid: serverUser().gid });
    expect(await readdir(join(root, 'logs'))).toEqual(expect.arrayContaining(['bin.000001', 'bin.index']));
    expect(await readFile(join(root, 'data', 'app', 'far.isl'), 'utf8')).toBe(join(root, 'fast', 'app', 'far.ibd'));
    expect((await readdir(join(root, 'data'))).filter((name) => /^(undo|ib_logfile)/.test(name))).toEqual([]);
  }

  async function filesIn(...names: readonly string[]): Promise<string[]> {
    const found = await Promise.all(names.map(async (name) => readdir(join(server.root, name), { recursive: true })));
    return found.flat();
  }

  /** What restores have left anywhere. */
  async function leftovers(): Promise<string[]> {
    const found = await Promise.all(
      [server.root, disk].map(async (directory) =>
        (await readdir(directory, { recursive: true })).map((path) => join(directory, path)),
      ),
    );
    return found
      .flat()
      .filter((path) => basename(path).startsWith('.holdfast-') && !dirname(path).includes('.holdfast-'));
  }

  async function leftIn(): Promise<string[]> {
    return (await leftovers()).map((path) => basename(path));
  }

  async function clearOld(): Promise<void> {
    for (const path of await leftovers()) await rm(path, { recursive: true, force: true });
  }
});

/** A small disk for root, for others a directory. */
async function newDisk(): Promise<Disposable & { readonly path: string }> {
  if (process.getuid?.() === 0)
    return smallDisk('64m', (note) => {
      throw new Error(note);
    });
  const path = await mkdtemp(join(tmpdir(), 'hf-disk-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
