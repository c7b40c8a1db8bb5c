import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { areasOf, dataOutside } from '../../src/core/data-outside.ts';
import { guardFor } from '../../src/core/guards.ts';
import { placeRestored } from '../../src/core/placement.ts';
import { spreadAreas } from '../../src/core/spread-areas.ts';
import { takeOutTableLinks } from '../../src/core/table-links.ts';
import { newDataDirectory } from '../support/data-directory.ts';
import { proveAtEveryStep } from '../support/guard-proof.ts';
import { makePreparedBackup } from '../support/prepared-backup.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';
import { serverUser } from '../support/server-user.ts';

const signal = new AbortController().signal;
const bins: Record<string, string> = {
  '10.11': process.env['HOLDFAST_TEST_MARIADB_10_11'] ?? '',
  '11.8': process.env['HOLDFAST_TEST_MARIADB_SID'] ?? '',
};
const tables = ['app.near', 'app.far', 'app.aria', 'mysql.global_priv'];
const names = ['undo', 'redo', 'logs', 'fast'];

/** The same proof as of one directory: data apart is no reason for a server to start half-way, or to change a file. */
describe.each(Object.keys(bins))('the guard of MariaDB %s with data in many directories', (series) => {
  const bin = bins[series] ?? '';
  let root: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'hf-guard-'));
    await serverUser().own(root);
  });
  beforeEach(({ skip }) => skip(bin === '', `no MariaDB ${series} was found`));
  afterAll(() => rm(root, { recursive: true, force: true }));

  test('keeps the server from starting at every step of a restore in place and of the way back', async () => {
    const [prepared, target] = [join(root, 'host', '.holdfast-restore-1'), join(root, 'host', 'data')];
    const { version, checksums } = await makeSource(prepared);
    const before = await makeTarget();
    const variables = {
      innodb_undo_directory: join(root, 'host', 'undo'),
      innodb_log_group_home_dir: join(root, 'host', 'redo'),
      log_bin_basename: join(root, 'host', 'logs', 'bin'),
    };
    const outside = await dataOutside({ dataDirectory: target, variables, vendor: 'MariaDB' });
    const areas = areasOf(outside);
    expect(areas).toHaveLength(4);
    const links = await takeOutTableLinks(prepared);
    const spread = await spreadAreas({ prepared, id: '1', target, areas, links, signal, onLog: () => undefined });
    await serverUser().own(root);

    const guard = guardFor({ vendor: 'MariaDB', version });
    const least = ['--default-storage-engine=MyISAM', '--skip-grant-tables'];
    const ways =
      series === '10.11' ? [options('host'), [...options('host'), ...least]] : [[...options('host'), ...least]];
    const proof = proveAtEveryStep({
      server: join(bin, 'mariadbd'),
      waysToStart: ways,
      target,
      areas: areas.map(({ directory }) => directory),
      guardFiles: guard.files,
    });
    const old = join(root, 'host', '.holdfast-old-1');
    const base = { id: '1', prepared, target, old, guard, signal };
    const placement = await placeRestored({ ...base, areas: spread, files: proof.files });
    const onTheWayIn = proof.refusals();
    expect(onTheWayIn).toBeGreaterThan(35);
    expect(await readdir(join(root, 'host', 'undo'))).toEqual(expect.arrayContaining(['undo001']));
    expect(await checksumsOf()).toEqual(checksums);
    await proof.seeItRun();

    await placement.rollBack({ signal });
    expect(proof.refusals() - onTheWayIn).toBeGreaterThan(35);
    expect(await checksumsOf()).toEqual(before);
    expect(await readFile(join(root, 'host', 'logs', 'bin2.index'), 'utf8')).toBe('of another server');
    console.log(`MariaDB ${version} refused ${proof.refusals()} times`);
  }, 600_000);

  function options(host: string): string[] {
    return [
      '--innodb-undo-tablespaces=3',
      `--innodb-undo-directory=${join(root, host, 'undo')}`,
      `--innodb-log-group-home-dir=${join(root, host, 'redo')}`,
      `--log-bin=${join(root, host, 'logs', 'bin')}`,
      '--server-id=7',
    ];
  }

  /** Starts a server with data apart on a new data directory, and again, as MariaDB 10.11 makes undo logs only then. */
  async function startApart(host: string): Promise<MariadbServer> {
    const dataDirectory = await newDataDirectory({ bin, into: join(root, host, 'data'), user: serverUser() });
    for (const name of names) await mkdir(join(root, host, name));
    for (const name of await readdir(dataDirectory)) {
      const home = /^undo\d/.test(name) ? 'undo' : name.startsWith('ib_logfile') ? 'redo' : undefined;
      if (home !== undefined) await rename(join(dataDirectory, name), join(root, host, home, name));
    }
    await serverUser().own(join(root, host));
    const first = await startMariadb({ bin, dataDirectory, options: options(host) });
    await first.query('SET GLOBAL innodb_fast_shutdown = 0');
    await first.stop();
    await first[Symbol.asyncDispose]();
    const server = await startMariadb({ bin, dataDirectory, options: options(host) });
    await server.query(`CREATE DATABASE app; USE app;
      CREATE TABLE near (id INT PRIMARY KEY) SELECT seq AS id FROM seq_1_to_500;
      CREATE TABLE far (id INT PRIMARY KEY) DATA DIRECTORY='${join(root, host, 'fast')}' SELECT seq AS id FROM seq_1_to_500;
      CREATE TABLE aria (id INT PRIMARY KEY) ENGINE=Aria SELECT seq AS id FROM seq_1_to_500`);
    return server;
  }

  /** On a host of its own would be truer; but for the links, which are taken out, nothing tells the paths apart. */
  async function makeSource(prepared: string): Promise<{ version: string; checksums: string[][] }> {
    await using server = await startApart('host');
    await server.query('DELETE FROM app.near WHERE id > 400; DELETE FROM app.far WHERE id > 300');
    const version = (await server.query('SELECT VERSION()'))[0]?.[0] ?? '';
    const checksums = await server.query(`CHECKSUM TABLE ${tables.join(', ')}`);
    await makePreparedBackup(server, join(root, 'backup'));
    await server.stop();
    await rm(join(root, 'host'), { recursive: true });
    await mkdir(join(root, 'host'));
    await rename(join(root, 'backup'), prepared);
    return { version, checksums };
  }

  async function makeTarget(): Promise<string[][]> {
    await using server = await startApart('host');
    await server.query('FLUSH BINARY LOGS; DELETE FROM app.far WHERE id < 10');
    await writeFile(join(root, 'host', 'logs', 'bin2.index'), 'of another server');
    const checksums = await server.query(`CHECKSUM TABLE ${tables.join(', ')}`);
    await server.stop();
    return checksums;
  }

  async function checksumsOf(): Promise<string[][]> {
    await using server = await startMariadb({
      bin,
      dataDirectory: join(root, 'host', 'data'),
      options: options('host'),
    });
    const found = await server.query(`CHECKSUM TABLE ${tables.join(', ')}`);
    await server.stop();
    return found;
  }
});
