import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { guardFor } from '../../src/core/guards.ts';
import { placeRestored } from '../../src/core/placement.ts';
import { newDataDirectory } from '../support/data-directory.ts';
import { proveAtEveryStep } from '../support/guard-proof.ts';
import { mysqlOf } from '../support/mysql-series.ts';
import { makePreparedBackup } from '../support/prepared-backup.ts';
import { makePreparedMysql } from '../support/prepared-mysql.ts';
import { type MariadbServer, startMariadb, startMysql } from '../support/servers.ts';
import { serverUser } from '../support/server-user.ts';

const signal = new AbortController().signal;
const bins: Record<string, string> = {
  '10.11': process.env['HOLDFAST_TEST_MARIADB_10_11'] ?? '',
  '11.8': process.env['HOLDFAST_TEST_MARIADB_SID'] ?? '',
};

/** As a host's own configuration may have it: no wish of the server's for InnoDB, no wish for accounts, a binary log. */
const leastDemanding = ['--default-storage-engine=MyISAM', '--skip-grant-tables', '--log-bin=bin'];
const tables = ['app.rows_innodb', 'app.rows_aria', 'app.rows_myisam', 'mysql.global_priv'];

describe.each(Object.keys(bins))('the guard of MariaDB %s', (series) => {
  const bin = bins[series] ?? '';
  let root: string;
  let version: string;
  let checksums: string[][];

  beforeAll(async () => {
    if (bin === '') return;
    root = await mkdtemp(join(tmpdir(), 'holdfast-guard-'));
    await serverUser().own(root);
    await using source = await startMariadb({ bin });
    version = (await source.query('SELECT VERSION()'))[0]?.[0] ?? '';
    checksums = await fill(source);
    await makePreparedBackup(source, join(root, 'backup'));
  });

  beforeEach(({ skip }) => skip(bin === '', `no MariaDB ${series} was found`));

  afterAll(async () => {
    if (bin !== '') await rm(root, { recursive: true, force: true });
  });

  test('keeps the server from starting at every step of a restore in place and of the way back', async () => {
    console.log(`guard proof on MariaDB ${version}`);
    const guard = guardFor({ vendor: 'MariaDB', version });
    const [target, prepared, old] = [
      join(root, 'data'),
      join(root, '.holdfast-restore-1'),
      join(root, '.holdfast-old-1'),
    ];
    await newDataDirectory({ bin, into: target, user: serverUser() });
    await cp(join(root, 'backup'), prepared, { recursive: true });
    await serverUser().own(prepared);
    const waysToStart = series === '10.11' ? [[], leastDemanding] : [leastDemanding];
    const proof = proveAtEveryStep({
      server: join(bin, 'mariadbd'),
      waysToStart,
      target,
      guardFiles: guard.files,
    });

    const placement = await placeRestored({ id: '1', prepared, target, old, guard, signal, files: proof.files });
    const onTheWayIn = proof.refusals();
    expect(onTheWayIn).toBeGreaterThan(20);
    expect(await checksumsOf(bin, target)).toEqual(checksums);
    await proof.seeItRun();

    await placement.rollBack({ signal });
    expect(proof.refusals() - onTheWayIn).toBeGreaterThan(20);
    await using again = await startMariadb({ bin, dataDirectory: target });
    expect(await again.query("SHOW DATABASES LIKE 'app'")).toEqual([]);
  }, 600_000);

  test('keeps the server from starting while an empty mount point is filled', async () => {
    const guard = guardFor({ vendor: 'MariaDB', version });
    const target = join(root, 'mounted');
    const prepared = join(target, '.holdfast-restore-2');
    await mkdir(join(target, 'lost+found'), { recursive: true });
    await cp(join(root, 'backup'), prepared, { recursive: true });
    await serverUser().own(target);
    const proof = proveAtEveryStep({
      server: join(bin, 'mariadbd'),
      waysToStart: [leastDemanding],
      target,
      guardFiles: guard.files,
    });
    await placeRestored({ id: '2', prepared, target, guard, signal, files: proof.files });
    expect(proof.refusals()).toBeGreaterThan(10);
    expect(await checksumsOf(bin, target)).toEqual(checksums);
    await proof.seeItRun();
  });
});

describe('the guard of MySQL 9.7', () => {
  const { bin, version, whyNot } = mysqlOf('9.7');
  let root: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-guard-'));
    await serverUser().own(root);
  });
  beforeEach(({ skip }) => skip(whyNot !== undefined, whyNot));
  afterAll(() => rm(root, { recursive: true, force: true }));

  test('keeps the server from starting at every step of a restore in place and of the way back', async () => {
    console.log(`guard proof on MySQL ${version}`);
    const [target, prepared, old] = [
      join(root, 'data'),
      join(root, '.holdfast-restore-1'),
      join(root, '.holdfast-old-1'),
    ];
    await newDataDirectory({ bin, into: target, user: serverUser() });
    const checksums = await makeSource(prepared);
    const plain = ['--secure-file-priv=NULL', '--mysqlx=OFF', '--performance-schema=OFF'];
    const guard = guardFor({ vendor: 'MySQL', version });
    const proof = proveAtEveryStep({
      server: join(bin, 'mysqld'),
      waysToStart: [plain, [...plain, '--innodb-force-recovery=6', '--skip-grant-tables', '--log-bin=bin']],
      isByTurns: true,
      target,
      guardFiles: guard.files,
    });
    const placement = await placeRestored({ id: '1', prepared, target, old, guard, signal, files: proof.files });
    const onTheWayIn = proof.refusals();
    expect(onTheWayIn).toBeGreaterThan(20);
    expect(await checksumsOf(target)).toEqual(checksums);
    await proof.seeItRun();

    await placement.rollBack({ signal });
    expect(proof.refusals() - onTheWayIn).toBeGreaterThan(20);
    await using again = await startMysql({ bin, dataDirectory: target });
    expect(await again.query("SHOW DATABASES LIKE 'app'")).toEqual([]);
    console.log(`MySQL ${version} refused ${proof.refusals()} times`);
  }, 600_000);

  async function makeSource(prepared: string): Promise<string[][]> {
    await using source = await startMysql({ bin });
    await source.query(
      'CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY); INSERT INTO app.t VALUES (1), (2)',
    );
    const checksums = await source.query('CHECKSUM TABLE app.t, mysql.user');
    await makePreparedMysql(source, prepared);
    return checksums;
  }

  async function checksumsOf(dataDirectory: string): Promise<string[][]> {
    await using server = await startMysql({ bin, dataDirectory });
    const found = await server.query('CHECKSUM TABLE app.t, mysql.user');
    await server.stop();
    return found;
  }
});

async function fill(server: MariadbServer): Promise<string[][]> {
  await server.query(`
    CREATE DATABASE app; USE app;
    CREATE TABLE app.rows_innodb (id INT PRIMARY KEY, t TEXT) ENGINE=InnoDB SELECT seq AS id, REPEAT('i', seq) AS t FROM seq_1_to_500;
    CREATE TABLE app.rows_aria (id INT PRIMARY KEY, t TEXT) ENGINE=Aria SELECT seq AS id, REPEAT('a', seq) AS t FROM seq_1_to_500;
    CREATE TABLE app.rows_myisam (id INT PRIMARY KEY) ENGINE=MyISAM SELECT seq AS id FROM seq_1_to_500;`);
  return server.query(`CHECKSUM TABLE ${tables.join(', ')}`);
}

async function checksumsOf(bin: string, dataDirectory: string): Promise<string[][]> {
  await using server = await startMariadb({ bin, dataDirectory });
  const found = await server.query(`CHECKSUM TABLE ${tables.join(', ')}`);
  await server.stop();
  return found;
}
