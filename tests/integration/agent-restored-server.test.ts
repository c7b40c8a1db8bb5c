import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Agent } from '../../src/agent/main.ts';
import type { AgentClient } from '../../src/api/client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { settleServer } from '../../src/core/restored-server.ts';
import { newBackupId } from '../../src/repository/names.ts';
import { type AgentHome, clientOf, ending, makeAgentHome, startTestAgent } from '../support/agents.ts';
import { serverUser } from '../support/server-user.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';

const signal = new AbortController().signal;

/** A replica with its binary and Aria logs elsewhere is backed up and restored. */
describe('a server on restored data', () => {
  const stack = new AsyncDisposableStack();
  let outside: string;
  let server: MariadbServer;
  let home: AgentHome;
  let agent: Agent;
  let client: AgentClient;
  let backup: string;

  beforeAll(async () => {
    outside = await mkdtemp(join(tmpdir(), 'hf-binlog-'));
    stack.defer(async () => rm(outside, { recursive: true, force: true }));
    await serverUser().own(outside);
    const apart = [`--log-bin=${join(outside, 'bin')}`, `--aria-log-dir-path=${outside}`];
    const options = [...apart, '--server-id=7', '--slave-net-timeout=5'];
    server = stack.use(await startMariadb({ options }));
    await server.query('CREATE DATABASE app; USE app; CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)');
    await server.query(replicate);
    home = stack.use(await makeAgentHome({ server }));
    // Never run: what is found before keeps the server from being stopped.
    const control = { type: 'commands', stop: ['/bin/false'], start: ['/bin/false'] };
    Object.assign(home.config, { restore: { mayRestoreInPlace: true, directories: [home.restores], control } });
    agent = stack.use(await startTestAgent(home));
    client = stack.use(await clientOf(home, agent));
    backup = newBackupId(systemClock.now());
    const body = { attempt: 1, name: 'n', service: 's', location: 'main' };
    await client.start('backup', backup, { body, signal });
    expect((await ending(client, 'backup', backup)).failure).toBeUndefined();
  });

  afterAll(() => stack.disposeAsync());

  test('whose source keeps its guard elsewhere is not restored in place, and the agent says what lies where', async () => {
    const { database } = await client.server({ signal });
    const directories = [
      { what: 'Aria logs', path: outside },
      { what: 'binary logs', path: outside },
    ];
    expect(database).toMatchObject({ directories });
    const wish = { attempt: 1, backup, location: 'main', target: { inPlace: true as const } };
    const { isGo, findings } = await client.preflight({ body: { kind: 'restore', ...wish }, signal });
    expect(isGo).toBe(false);
    expect(findings.find(({ code }) => code === 'data-outside')?.message).toContain(`Aria logs in ${outside}`);
    await client.start('restore', 'refused', { body: wish, signal });
    expect(await ending(client, 'restore', 'refused')).toMatchObject({
      state: 'Failed',
      failure: { code: 'data-outside', isPermanent: true },
    });
    expect(await server.query('SELECT id FROM app.t')).toEqual([['1']]);
  });

  test.each(['stopped', 'start'] as const)(
    'of a replica does not replicate by itself, with %s',
    async (replication) => {
      const directory = join(home.restores, replication);
      const wish = {
        attempt: 1,
        backup,
        location: 'main',
        target: { directory },
        identity: 'new' as const,
        replication,
      };
      await client.start('restore', replication, { body: wish, signal });
      const job = await ending(client, 'restore', replication);
      expect(job.failure).toBeUndefined();
      const position = { file: 'bin.000001', position: expect.stringMatching(/^\d+$/) };
      expect(job).toMatchObject({ result: { gtid: expect.stringMatching(/^0-7-\d+$/), binlog: position } });
      await serverUser().own(directory);
      await using restored = await startMariadb({ dataDirectory: directory, options: ['--server-id=8'] });
      expect(await restored.query('SELECT id FROM app.t')).toEqual([['1']]);
      expect(await restored.query('SHOW ALL SLAVES STATUS')).toEqual([]);
    },
  );

  test('with the files that make it replicate begins to, and does not when it shall not', async () => {
    const directory = join(home.directory, 'copied');
    await mkdir(directory);
    await server.stop();
    await promisify(execFile)('cp', ['-a', `${server.dataDirectory}/.`, directory]);
    await serverUser().own(directory);
    expect(await readdir(directory)).toContain('master.info');
    {
      await using copy = await startMariadb({ dataDirectory: directory, options: ['--server-id=9'] });
      expect(await copy.query('SHOW ALL SLAVES STATUS')).not.toEqual([]);
      await copy.stop();
    }
    const options = {
      server: { vendor: 'MariaDB', version: '10.11.19' },
      clock: systemClock,
      replaced: undefined,
    } as const;
    await settleServer(directory, { replication: 'stopped' }, options);
    await using copy = await startMariadb({ dataDirectory: directory, options: ['--server-id=9'] });
    expect(await copy.query('SHOW ALL SLAVES STATUS')).toEqual([]);
  });
});

/** Of a source that is not there: whether it tries is what counts. */
const replicate = [
  "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=9, MASTER_USER='x', MASTER_PASSWORD='y'",
  'START SLAVE',
].join('; ');
