import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentClient } from '../../src/api/client.ts';
import { findServerUsing } from '../../src/core/server-using.ts';
import {
  type AgentHome,
  backUpAt,
  clientOf,
  ending,
  makeAgentHome,
  spawnAgent,
  startTestAgent,
  until,
} from '../support/agents.ts';
import { killInStep, hasRecovered } from '../support/killed-restore.ts';
import { type ControlledServer, startControlledServer } from '../support/controlled-server.ts';

const signal = new AbortController().signal;
const bin = process.env['HOLDFAST_TEST_MARIADB_10_11'] ?? '';

describe('a restore in place by an agent', () => {
  const stack = new AsyncDisposableStack();
  let server: ControlledServer;
  let data: string;
  let home: AgentHome;
  let backup: string;

  beforeAll(async () => {
    server = stack.use(await startControlledServer({ bin, directories: ['fast'] }));
    ({ data } = server);
    await server.query(
      'CREATE DATABASE app; ',
      'CREATE TABLE app.t (id INT PRIMARY KEY)',
      'INSERT INTO app.t VALUES (1), (2)',
    );
    const control = { type: 'commands', stop: [server.stop], start: [server.start] };
    const config = {
      database: { socket: server.socket, user: 'root' },
      toolPath: bin,
      restore: { mayRestoreInPlace: true, control, controlLimitSeconds: 20 },
    };
    home = stack.use(await makeAgentHome({ config }));
    backup = await backUpAt(home);
  });

  afterAll(() => stack.disposeAsync());

  const wish = () => ({ attempt: 1, backup, location: 'main', target: { inPlace: true } as const });

  test('brings the rows back, on a server that was stopped and started, and keeps the data from before', async () => {
    await server.query('DELETE FROM app.t WHERE id = 1');
    await using agent = await spawnAgent(home);
    using client = await clientOf(home, agent);
    const before = await findServerUsing(data);
    await client.start('restore', 'in-place', { body: wish(), signal });
    const job = await ending(client, 'restore', 'in-place');
    expect(job).toMatchObject({ state: 'Succeeded', directory: data, result: { target: data } });
    expect(await rows()).toBe('1,2');
    expect((await findServerUsing(data))?.pid).not.toBe(before?.pid);
    const { old = '', steps = [] } = job.kind === 'restore' ? (job.result ?? {}) : {};
    // The three of which the plan spoke.
    expect(steps.slice(-3).map(({ name }) => name)).toEqual(['stop', 'place', 'start']);
    await stat(join(old, 'app', 't.ibd'));
    await rm(old, { recursive: true });
  });

  test('of a server with tables that are in no backup must be told that they may be missing', async () => {
    const fast = join(server.root, 'fast');
    await server.query(
      `CREATE TABLE app.away (id INT) ENGINE=Aria DATA DIRECTORY='${fast}' INDEX DIRECTORY='${fast}'`,
      'DELETE FROM app.t WHERE id = 1',
    );
    await using agent = await spawnAgent(home);
    using client = await clientOf(home, agent);
    await client.start('restore', 'unasked', { body: wish(), signal });
    expect(await ending(client, 'restore', 'unasked')).toMatchObject({ failure: { code: 'aria-behind-links' } });
    expect(await rows()).toBe('2');
    const body = { ...wish(), acceptsMissingTables: true };
    expect(await client.preflight({ body: { kind: 'restore', ...body }, signal })).toMatchObject({
      isGo: true,
      findings: expect.arrayContaining([expect.objectContaining({ level: 'warning', code: 'aria-behind-links' })]),
    });
    await client.start('restore', 'accepted', { body, signal });
    const job = await ending(client, 'restore', 'accepted');
    expect(job.failure).toBeUndefined();
    expect(await rows()).toBe('1,2');
    await stat(join(fast, 'away.MAD'));
    const old = job.kind === 'restore' ? (job.result?.old ?? '') : '';
    await rm(old, { recursive: true });
  });

  test.each(['stop', 'place', 'start'])(
    'killed in the step %s: the next agent gives the server back, whole',
    async (step) => {
      let id = '';
      for (let [tries, isKilled] = [1, false]; !isKilled && tries <= 3; tries += 1) {
        await server.query('REPLACE INTO app.t VALUES (1), (2), (9)');
        id = `killed-${step}-${tries}`;
        isKilled = await killInStep(home, { id, step, wish: wish() });
      }
      await using agent = await spawnAgent(home);
      using client = await clientOf(home, agent);
      expect(await client.get('restore', id, { signal })).toMatchObject({ failure: { code: 'agent-restarted' } });
      await until(async () => hasRecovered(client, wish()));
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

  test('cancelled in the step stop, it gives the server back, which is still its own', async () => {
    await server.query('REPLACE INTO app.t VALUES (1), (2), (9)');
    await using agent = await spawnAgent(home);
    using client = await clientOf(home, agent);
    await rm(join(home.state, 'lineages.json'), { force: true });
    await stoppedBy(client, 'cancelled');
    await client.cancel('restore', 'cancelled', { signal });
    expect(await ending(client, 'restore', 'cancelled')).toMatchObject({ state: 'Cancelled' });
    await rm(join(server.root, 'hold-stop'));
    expect(await rows()).toBe('1,2,9');
    expect(await leftBehind()).toEqual([]);
    expect(await readdir(home.state)).not.toContain('lineages.json');
  });

  test('ended in the step stop without being able to start the server, it says so, and the next agent starts it', async () => {
    await server.query('REPLACE INTO app.t VALUES (1), (2), (9)');
    {
      await using agent = await spawnAgent(home);
      using client = await clientOf(home, agent);
      await stoppedBy(client, 'ended');
      await writeFile(join(server.root, 'fail-start'), '');
      await agent.child.end('SIGTERM');
    }
    await rm(join(server.root, 'hold-stop'));
    expect(await rows()).toBeUndefined();
    await using agent = await spawnAgent(home);
    using client = await clientOf(home, agent);
    expect(await client.get('restore', 'ended', { signal })).toMatchObject({ failure: { code: 'roll-back-failed' } });
    await until(async () => (await rows()) === '1,2,9');
    await until(async () => (await leftBehind()).length === 0);
    // The restored data is for people.
    await rm(join(dirname(data), '.holdfast-restore-ended-1'), { recursive: true });
  });

  test('told to end in the step start, it keeps other agents from the state directory until the server is up', async () => {
    await server.query('REPLACE INTO app.t VALUES (1), (2), (9)');
    {
      await using agent = await startTestAgent(home, { endLimitMs: 500 });
      using client = await clientOf(home, agent);
      await writeFile(join(server.root, 'hold-start'), '');
      await client.start('restore', 'starting', { body: wish(), signal });
      await until(async () => (await client.get('restore', 'starting', { signal })).step === 'start');
    }
    await expect(startTestAgent(home)).rejects.toMatchObject({ code: 'agent-already-runs' });
    await rm(join(server.root, 'hold-start'));
    await until(async () => {
      await using agent = await startTestAgent(home).catch(() => undefined);
      if (agent === undefined) return false;
      using client = await clientOf(home, agent);
      expect(await client.get('restore', 'starting', { signal })).toMatchObject({ state: 'Succeeded' });
      return true;
    });
    expect(await rows()).toBe('1,2');
    expect(await leftBehind()).toEqual([]);
    await rm(join(dirname(data), '.holdfast-old-starting-1'), { recursive: true });
  });

  /** The server is down, and the command that stopped it goes on. */
  async function stoppedBy(client: AgentClient, id: string): Promise<void> {
    await writeFile(join(server.root, 'hold-stop'), '');
    await client.start('restore', id, { body: wish(), signal });
    await until(async () => (await client.get('restore', id, { signal })).step === 'stop');
    await until(async () => (await findServerUsing(data)) === undefined);
  }

  /** What says that a server may be down. */
  async function leftBehind(): Promise<string[]> {
    return (await readdir(home.state)).filter((name) => name.startsWith('stopping-'));
  }

  /** Ids in the table; undefined while no server answers, empty without the table. */
  async function rows(): Promise<string | undefined> {
    return server.value('SELECT GROUP_CONCAT(id ORDER BY id) FROM app.t');
  }
});
