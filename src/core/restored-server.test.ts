import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { judgeReplication, settleServer } from './restored-server.ts';

const clock = { now: () => 1_795_000_000_123 };
const mysql = (version: string) => ({ vendor: 'MySQL', version }) as const;
const mariadb = { vendor: 'MariaDB', version: '10.11.19-MariaDB' } as const;

let root: string;
let prepared: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hf-settle-'));
  prepared = await mkdtemp(join(root, 'prepared-'));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

const put = async (name: string, text: string): Promise<void> => writeFile(join(prepared, name), text);
const persisted = async (): Promise<unknown> => JSON.parse(await readFile(join(prepared, 'mysqld-auto.cnf'), 'utf8'));
const settle = async (
  wish: Parameters<typeof settleServer>[1],
  server: { vendor: 'MySQL' | 'MariaDB'; version: string },
) => settleServer(prepared, wish, { server, clock, replaced: undefined });
const on = { Value: 'ON', Metadata: { Timestamp: 1_795_000_000_123_000, User: 'holdfast', Host: 'localhost' } };
const off = { ...on, Value: 'OFF' };

describe('a server on restored data', () => {
  test('has an identity of its own, or that of the one it replaces', async () => {
    await put('auto.cnf', '[auto]\nserver-uuid=a\n');
    await settle({ identity: 'keep' }, mysql('8.4.3'));
    expect(await readdir(prepared)).toEqual(['auto.cnf']);
    await settle({ identity: 'new' }, mysql('8.4.3'));
    await settle({ identity: 'new' }, mysql('8.4.3'));
    expect(await readdir(prepared)).toEqual([]);
    const replaced = await mkdtemp(join(root, 'replaced-'));
    const options = { server: mysql('8.4.3'), clock, replaced };
    await settleServer(prepared, { identity: 'keep' }, options);
    expect(await readdir(prepared)).toEqual([]);
    await writeFile(join(replaced, 'auto.cnf'), '[auto]\nserver-uuid=b\n');
    await settleServer(prepared, { identity: 'keep' }, options);
    expect(await readFile(join(prepared, 'auto.cnf'), 'utf8')).toContain('server-uuid=b');
  });

  test('is left as it is where nothing is wished', async () => {
    await put('auto.cnf', 'a');
    await put('master.info', 'b');
    await settle({}, mysql('8.4.3'));
    await settle({ replication: 'start' }, mariadb);
    expect((await readdir(prepared)).toSorted()).toEqual(['auto.cnf', 'master.info']);
  });

  test.each([
    [
      '8.0.24',
      {
        Version: 1,
        mysql_server: { mysql_server_static_options: { skip_slave_start: on, group_replication_start_on_boot: off } },
      },
    ],
    [
      '8.0.28',
      {
        Version: 1,
        mysql_server: { mysql_server_static_options: { skip_replica_start: on, group_replication_start_on_boot: off } },
      },
    ],
    [
      '8.0.36',
      { Version: 2, mysql_static_variables: { skip_replica_start: on, group_replication_start_on_boot: off } },
    ],
    ['9.7.4', { Version: 2, mysql_static_variables: { skip_replica_start: on, group_replication_start_on_boot: off } }],
  ])('of MySQL %s is told in its own settings not to replicate', async (version, expected) => {
    await settle({ replication: 'stopped' }, mysql(version));
    expect(await persisted()).toEqual(expected);
  });

  test.each([
    [{ Version: 1, mysql_server: { max_connections: on, mysql_server_static_options: { back_log: on } } }],
    [
      {
        Version: 2,
        mysql_static_variables: { back_log: on, skip_replica_start: off },
        mysql_dynamic_variables: { x: on },
      },
    ],
  ])('keeps the settings that it had: %j', async (before) => {
    await put('mysqld-auto.cnf', JSON.stringify(before));
    await settle({ replication: 'stopped' }, mysql('8.4.3'));
    const text = JSON.stringify(await persisted());
    for (const name of ['back_log', 'skip_replica_start']) expect(text).toContain(`"${name}":${JSON.stringify(on)}`);
    expect(text).toContain(`"Version":${before.Version}`);
    expect(text).toMatch(/max_connections|mysql_dynamic_variables/);
  });

  test.each(['{', '{"Version":3}', '[]', ''])('is not started on settings that nobody can read: %j', async (text) => {
    await put('mysqld-auto.cnf', text);
    await expect(settle({ replication: 'stopped' }, mysql('8.4.3'))).rejects.toMatchObject({
      code: 'persisted-settings-unknown',
    });
  });

  test('finds no file that makes it replicate', async () => {
    const names = ['master.info', 'relay-log.info', 'multi-master.info', 'master-two.info', 'relay-log-two.info'];
    for (const name of [...names, 'masterless.info', 'xtrabackup_info']) await put(name, 'x');
    await settle({ replication: 'stopped' }, mariadb);
    const found = await readdir(prepared);
    for (const name of names) expect(found).not.toContain(name);
    expect(found).toContain('master.info.holdfast-stopped');
    expect(found).toContain('masterless.info');
  });

  test.each([
    [mysql('8.0.23'), 'error'],
    [mysql('5.7.44'), 'error'],
    [mysql('8.0.24'), 'ok'],
    [mariadb, 'ok'],
  ])('of %j can be kept from replicating, or is not started: %s', (server, level) => {
    expect(judgeReplication(server, { replication: 'stopped' })?.level).toBe(level);
    expect(judgeReplication(server, { replication: 'start' })).toBeUndefined();
    expect(judgeReplication(server, {})).toBeUndefined();
  });
});
