import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { areasOf, dataOutside, watchedOf } from '../../src/core/data-outside.ts';
import { guardFor } from '../../src/core/guards.ts';
import { placeRestored } from '../../src/core/placement.ts';
import { spreadAreas } from '../../src/core/spread-areas.ts';
import { readTablespaceList } from '../../src/core/tablespace-list.ts';
import { readServerFacts } from '../../src/engine/server-facts.ts';
import { newDataDirectory } from '../support/data-directory.ts';
import { proveAtEveryStep } from '../support/guard-proof.ts';
import { mysqlOf } from '../support/mysql-series.ts';
import { makePreparedMysql } from '../support/prepared-mysql.ts';
import { type DatabaseServer, startMysql } from '../support/servers.ts';
import { serverUser } from '../support/server-user.ts';

const signal = new AbortController().signal;
const { bin, version, whyNot } = mysqlOf('9.7');
const tables = ['app.near', 'app.far', 'app.parts', 'app.shared', '`od-d`.`t x`', 'gone.elsewhere', 'mysql.user'];
const directories = ['undo', 'redo', 'logs', 'relay', 'dblwr', 'fast', 'spaces'];

/** The prepared backup is what a server leaves that was stopped in order, laid out as xtrabackup does. */
describe('MySQL 9.7 with data in many directories', () => {
  let root: string;
  let host: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'hf-guard-'));
    host = join(root, 'host');
    await serverUser().own(root);
  });
  beforeEach(({ skip }) => skip(whyNot !== undefined, whyNot));
  afterAll(() => rm(root, { recursive: true, force: true }));

  test('does not start at any step of a restore in place, and has all of its data after it and after the way back', async () => {
    const [prepared, target] = [join(host, '.holdfast-restore-1'), join(host, 'data')];
    const sums = await makeSource(prepared);
    expect(sums.flat()).not.toContain('NULL');
    const { outside, before } = await makeTarget();
    const areas = areasOf(outside);
    expect(areas.map(({ directory }) => directory.slice(host.length + 1)).toSorted()).toEqual([
      'dblwr',
      'fast',
      'fast/app',
      'fast/od@002dd',
      'logs',
      'redo',
      'relay',
      'spaces',
      'undo',
    ]);
    const { links } = await readTablespaceList(prepared);
    const stayed: string[] = [];
    const onLog = (line: string): unknown => stayed.push(line);
    const spread = await spreadAreas({ prepared, id: '1', target, areas, links, signal, onLog });
    expect(stayed).toEqual([expect.stringContaining('gone/elsewhere.ibd is restored into')]);
    await serverUser().own(root);

    const guard = guardFor({ vendor: 'MySQL', version });
    const plain = [...options(), '--performance-schema=OFF', '--secure-file-priv=NULL', '--mysqlx=OFF'];
    const proof = proveAtEveryStep({
      server: join(bin, 'mysqld'),
      waysToStart: [plain, [...plain, '--innodb-force-recovery=6', '--skip-grant-tables']],
      isByTurns: true,
      target,
      areas: areas.map(({ directory }) => directory),
      guardFiles: guard.files,
    });
    const base = { id: '1', prepared, target, old: join(host, '.holdfast-old-1'), guard, signal };
    const placing = { ...base, areas: spread, watched: watchedOf(outside), files: proof.files };
    // Somebody begins to keep tables where nobody has asked for any.
    await writeFile(join(host, 'spaces', 'gone', 'made.ibd'), '');
    await expect(placeRestored(placing)).rejects.toMatchObject({ code: 'tablespaces-made' });
    await rm(join(host, 'spaces', 'gone'), { recursive: true });
    const placement = await placeRestored(placing);
    expect(proof.refusals()).toBeGreaterThan(40);
    await expectInPlaces();
    expect(await lookedAt()).toEqual(sums);
    await proof.seeItRun();

    // The way back goes through the same states, and guard.test.ts looks at it: a server that refuses takes half a second.
    proof.end();
    await placement.rollBack({ signal });
    expect(await lookedAt()).toEqual(before);
    for (const name of ['logs/bin2.index', 'fast/app/theirs.ibd', 'undo/notes'])
      expect(await readFile(join(host, name), 'utf8')).toBe('of another server');
    console.log(`MySQL ${version} refused ${proof.refusals()} times`);
  }, 600_000);

  function options(): string[] {
    return [
      `--innodb-undo-directory=${host}/undo`,
      `--innodb-log-group-home-dir=${host}/redo`,
      `--innodb-doublewrite-dir=${host}/dblwr`,
      `--innodb-directories=${host}/fast;${host}/spaces`,
      `--log-bin=${host}/logs/bin`,
      `--relay-log=${host}/relay/relay`,
      '--server-id=7',
    ];
  }

  async function startApart(): Promise<DatabaseServer> {
    const dataDirectory = await newDataDirectory({ bin, into: join(host, 'data'), user: serverUser() });
    for (const name of directories) await mkdir(join(host, name));
    for (const name of await readdir(dataDirectory)) {
      const home = homes.find(([pattern]) => pattern.test(name))?.[1];
      if (home !== undefined) await rename(join(dataDirectory, name), join(host, home, name));
    }
    await serverUser().own(host);
    return startMysql({ bin, dataDirectory, options: options() });
  }

  /** On a host of its own would be truer, but for the paths in its dictionary, which are those of the server here. */
  async function makeSource(prepared: string): Promise<string[][]> {
    await using server = await startApart();
    await server.query(`CREATE DATABASE app; CREATE DATABASE \`od-d\`; CREATE DATABASE gone; USE app;
      CREATE TABLE near (id INT PRIMARY KEY); INSERT INTO near VALUES (1), (2);
      CREATE TABLE far (id INT PRIMARY KEY, t TEXT) DATA DIRECTORY='${host}/fast'; INSERT INTO far VALUES (1, 'x'), (2, 'y');
      CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY RANGE (id)
        (PARTITION low VALUES LESS THAN (10) DATA DIRECTORY='${host}/fast', PARTITION high VALUES LESS THAN MAXVALUE);
      INSERT INTO parts VALUES (1), (20);
      CREATE TABLESPACE ts ADD DATAFILE '${host}/spaces/space.ibd'; CREATE TABLE shared (id INT PRIMARY KEY) TABLESPACE ts;
      INSERT INTO shared VALUES (5);
      CREATE TABLE \`od-d\`.\`t x\` (id INT) DATA DIRECTORY='${host}/fast'; INSERT INTO \`od-d\`.\`t x\` VALUES (1);
      CREATE TABLE gone.elsewhere (id INT) DATA DIRECTORY='${host}/spaces'; INSERT INTO gone.elsewhere VALUES (7);
      CREATE UNDO TABLESPACE more ADD DATAFILE 'more.ibu'`);
    const sums = await look(server);
    await makePreparedMysql(server, join(root, 'backup'));
    await rm(host, { recursive: true });
    await mkdir(host);
    await rename(join(root, 'backup'), prepared);
    return sums;
  }

  /** Another one with tables of the same names, some in the same places, and things of others beside them. */
  async function makeTarget() {
    await using server = await startApart();
    await mkdir(join(host, 'spaces', 'gone'));
    await server.query(`CREATE DATABASE app; CREATE DATABASE \`od-d\`; USE app;
      CREATE TABLE since (id INT PRIMARY KEY) DATA DIRECTORY='${host}/fast';
      CREATE TABLE far (id INT PRIMARY KEY, t TEXT) DATA DIRECTORY='${host}/fast'; INSERT INTO far VALUES (9, 'old');
      CREATE TABLE near (id INT PRIMARY KEY); CREATE TABLE parts (id INT PRIMARY KEY);
      CREATE TABLESPACE ts ADD DATAFILE '${host}/spaces/space.ibd'; CREATE TABLE shared (id INT PRIMARY KEY) TABLESPACE ts;
      CREATE TABLE \`od-d\`.\`t x\` (id INT) DATA DIRECTORY='${host}/fast';
      CREATE UNDO TABLESPACE away ADD DATAFILE '${host}/fast/away.ibu'; FLUSH BINARY LOGS`);
    for (const name of ['logs/bin2.index', 'fast/app/theirs.ibd', 'undo/notes'])
      await writeFile(join(host, name), 'of another server');
    const outside = await dataOutside(await readServerFacts({ socket: server.socket, user: 'root' }, { signal }));
    // Made after it was asked, where it kept some already.
    await server.query(`CREATE TABLE app.late (id INT PRIMARY KEY) DATA DIRECTORY='${host}/fast'`);
    const before = await look(server);
    await server.stop();
    return { outside, before };
  }

  async function expectInPlaces(): Promise<void> {
    const found = async (name: string) => (await readdir(join(host, name))).filter((each) => !each.startsWith('.'));
    expect(await found('undo')).toEqual(expect.arrayContaining(['more.ibu', 'notes', 'undo_001', 'undo_002']));
    expect(await found('redo')).toEqual(['#innodb_redo']);
    expect(await found('fast/app')).toEqual(['far.ibd', 'parts#p#low.ibd', 'theirs.ibd']);
    expect(await found('fast/od@002dd')).toEqual(['t@0020x.ibd']);
    expect(await found('fast')).toEqual(['app', 'od@002dd']);
    expect(await found('spaces')).toEqual(['space.ibd']);
    expect(await found('dblwr')).toEqual([]);
    // A server that refused has begun an index.
    expect((await found('logs')).filter((name) => name !== 'bin.index')).toEqual(['bin2.index']);
  }

  async function lookedAt(): Promise<string[][]> {
    await using server = await startMysql({ bin, dataDirectory: join(host, 'data'), options: options() });
    const found = await look(server);
    await server.stop();
    return found;
  }
});

const homes: readonly (readonly [RegExp, string])[] = [
  [/^undo_/, 'undo'],
  [/^#innodb_redo$/, 'redo'],
  [/\.dblwr$/, 'dblwr'],
];

/** What is in the tables, and the undo logs that are in use. */
async function look(server: DatabaseServer): Promise<string[][]> {
  return [
    ...(await server.query(`CHECKSUM TABLE ${tables.join(', ')}`)),
    ...(await server.query("SELECT NAME FROM information_schema.INNODB_TABLESPACES WHERE STATE = 'active' ORDER BY 1")),
    ...(await server.query('SHOW TABLES IN app')),
  ];
}
