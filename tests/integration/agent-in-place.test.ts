import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findServerUsing } from '../../src/core/server-using.ts';
import { Sql } from '../../src/engine/sql.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { AgentClient } from '../../src/api/client.ts';
import type { Job } from '../../src/api/jobs.ts';
import { newBackupId } from '../../src/repository/names.ts';
import { type AgentHome, clientOf, ending, makeAgentHome, spawnAgent, until } from '../support/agents.ts';
import { newDataDirectory } from '../support/data-directory.ts';
import { serverUser } from '../support/server-user.ts';

const run = promisify(execFile);
const signal = new AbortController().signal;
const bin = process.env['HOLDFAST_TEST_MARIADB_10_11'] ?? '';

describe('a restore in place by an agent', () => {
  const stack = new AsyncDisposableStack();
  let root: string;
  let data: string;
  let socket: string;
  let home: AgentHome;
  let backup: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'hf-place-'));
    stack.defer(() => rm(root, { recursive: true, force: true, maxRetries: 3 }));
    data = await newDataDirectory({ bin, into: join(root, 'data'), user: serverUser() });
    await serverUser().own(root);
    socket = join(root, 's.sock');
    for (const [name, text] of Object.entries(scripts())) {
      await writeFile(join(root, name), text, { mode: 0o755 });
      await chmod(join(root, name), 0o755);
    }
    await run('/bin/sh', [join(root, 'start')]);
    stack.defer(async () => {
      const server = await findServerUsing(data);
      if (server !== undefined) process.kill(server.pid, 'SIGKILL');
      await until(async () => (await findServerUsing(data)) === undefined);
    });
    await until(async () => (await rows()) !== undefined);
    await query(
      'CREATE DATABASE app; ',
      'CREATE TABLE app.t (id INT PRIMARY KEY)',
      'INSERT INTO app.t VALUES (1), (2)',
    );
    const control = { type: 'commands', stop: [join(root, 'stop')], start: [join(root, 'start')] };
    const config = {
      database: { socket, user: 'root' },
      toolPath: bin,
      restore: { mayRestoreInPlace: true, control, controlLimitSeconds: 20 },
    };
    home = stack.use(await makeAgentHome({ config }));
    await using agent = await spawnAgent(home);
    using client = await clientOf(home, agent);
    backup = newBackupId(systemClock.now());
    const body = { attempt: 1, name: 'n', service: 's', location: 'main' };
    await client.start('backup', backup, { body, signal });
    expect(await ending(client, 'backup', backup)).toMatchObject({ state: 'Succeeded' });
  });

  afterAll(() => stack.disposeAsync());

  const wish = () => ({ attempt: 1, backup, location: 'main', target: { inPlace: true } as const });

  test('brings the rows back, on a server that was stopped and started, and keeps the data from before', async () => {
    await query('DELETE FROM app.t WHERE id = 1');
    await using agent = await spawnAgent(home);
    using client = await clientOf(home, agent);
    const before = await findServerUsing(data);
    await client.start('restore', 'in-place', { body: wish(), signal });
    const job = await ending(client, 'restore', 'in-place');
    expect(job).toMatchObject({ state: 'Succeeded', directory: data, result: { target: data } });
    expect(await rows()).toBe('1,2');
    expect((await findServerUsing(data))?.pid).not.toBe(before?.pid);
    const old = job.kind === 'restore' ? (job.result?.old ?? '') : '';
    await stat(join(old, 'app', 't.ibd'));
    await rm(old, { recursive: true });
  });

  test.each(['stop', 'place', 'start'])(
    'killed in the step %s: the next agent gives the server back, whole',
    async (step) => {
      await query('REPLACE INTO app.t VALUES (1), (2), (9)');
      const id = `killed-${step}`;
      {
        await using agent = await spawnAgent(home);
        using client = await clientOf(home, agent);
        await client.start('restore', id, { body: wish(), signal });
        for (let job: Job | undefined; job?.step !== step && job?.endedAt === undefined;)
          job = await client.get('restore', id, { signal });
        await agent.child.end('SIGKILL');
      }
      await using agent = await spawnAgent(home);
      using client = await clientOf(home, agent);
      expect(await client.get('restore', id, { signal })).toMatchObject({ failure: { code: 'agent-restarted' } });
      await until(() => recovered(client));
      // All of the old data, or all of the restored.
      expect(['1,2', '1,2,9']).toContain(await rows());
      const left = await readdir(dirname(data));
      expect(left.filter((name) => /^\.holdfast-(restore|placement)/.test(name))).toEqual([]);
      if (step === 'start') {
        await client.start('restore', id, { body: { ...wish(), attempt: 2 }, signal });
        expect((await ending(client, 'restore', id)).failure).toBeUndefined();
        expect(await rows()).toBe('1,2');
      }
      for (const name of (await readdir(dirname(data))).filter((each) => each.startsWith('.holdfast-old-')))
        await rm(join(dirname(data), name), { recursive: true });
    },
  );

  /** A job that cannot succeed tells whether the agent takes jobs again. */
  const recovered = async (client: AgentClient): Promise<boolean> => {
    const id = `probe-${performance.now().toFixed(0)}`;
    try {
      await client.start('restore', id, { body: { ...wish(), location: 'nowhere' }, signal });
    } catch {
      return false;
    }
    expect(await ending(client, 'restore', id)).toMatchObject({ failure: { code: 'unknown-location' } });
    return true;
  };

  async function query(...statements: string[]): Promise<void> {
    await using sql = await Sql.connect({ socket, user: 'root' }, { signal });
    for (const statement of statements) await sql.query(statement);
  }

  /** Ids in the table; undefined while no server answers, empty without the table. */
  async function rows(): Promise<string | undefined> {
    try {
      await using sql = await Sql.connect({ socket, user: 'root' }, { signal, timeoutMs: 2_000 });
      return await sql.value('SELECT GROUP_CONCAT(id ORDER BY id) FROM app.t').catch(() => '');
    } catch {
      return undefined;
    }
  }

  /** As an administrator writes them; each takes its time, so that an agent can be killed meanwhile. */
  function scripts(): Record<'start' | 'stop', string> {
    const server = [
      join(bin, 'mariadbd'),
      '--no-defaults',
      ...serverUser().arguments,
      `--datadir=${data}`,
      `--socket=${socket}`,
      `--pid-file=${join(root, 'pid')}`,
      '--skip-networking',
      '--innodb-buffer-pool-size=32M',
    ];
    return {
      start: `#!/bin/sh\nsetsid ${server.join(' ')} >>${join(root, 'log')} 2>&1 </dev/null &\nsleep 0.5\n`,
      stop: `#!/bin/sh\nsleep 0.3\npid=$(cat ${join(root, 'pid')}) || exit 0\nkill $pid\nwhile kill -0 $pid 2>/dev/null; do sleep 0.05; done\n`,
    };
  }
});
