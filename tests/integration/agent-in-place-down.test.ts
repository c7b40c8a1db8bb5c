import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findServerUsing } from '../../src/core/server-using.ts';
import { Failure } from '../../src/lib/failure.ts';
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
import { commandLines } from '../support/command-lines.ts';
import { type ControlledServer, startControlledServer } from '../support/controlled-server.ts';
import { serverUser } from '../support/server-user.ts';

const run = promisify(execFile);
const signal = new AbortController().signal;
const bin = process.env['HOLDFAST_TEST_MARIADB_10_11'] ?? '';

describe('a restore in place of a server that is down, by an agent', () => {
  const stack = new AsyncDisposableStack();
  let server: ControlledServer;
  let home: AgentHome;
  let backup: string;

  beforeAll(async () => {
    server = stack.use(
      await startControlledServer({
        bin,
        directories: ['logs'],
        options: (root) => ['--server-id=7', `--log-bin=${join(root, 'logs', 'bin')}`],
      }),
    );
    await server.query(
      'CREATE DATABASE app',
      'CREATE TABLE app.t (id INT PRIMARY KEY)',
      'INSERT INTO app.t VALUES (1), (2)',
    );
    home = stack.use(await makeAgentHome({ config: { ...agentConfig(), restore: { mayRestoreInPlace: true } } }));
    backup = await backUpAt(home);
  });

  afterAll(() => stack.disposeAsync());

  beforeEach(async () => {
    await server.query('REPLACE INTO app.t VALUES (1), (2), (9)');
    expect(await rows()).toBe('1,2,9');
  });

  test('without control: a person stopped it and starts it', async () => {
    await stopByHand();
    const { findings, isGo, log, job } = await restore('by-hand', home);
    expect(isGo).toBe(true);
    expect(findings).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        code: 'server-as-last-seen',
        message: expect.stringMatching(new RegExp(`as last seen at \\d{4}-.*MariaDB 10\\.11.*${server.data}`)),
      }),
    );
    // What the server said of its places counts.
    const logs = { code: 'outside-exchanged', message: expect.stringContaining(join(server.root, 'logs')) };
    expect(findings).toContainEqual(expect.objectContaining(logs));
    for (const code of ['no-server-running', 'server-not-started'])
      expect(findings).toContainEqual(expect.objectContaining({ code }));
    expect(job.failure).toBeUndefined();
    expect(log).toMatch(/warning: The server does not answer.* as last seen at /);
    expect(await rows()).toBeUndefined();
    await startByHand();
    expect(await rows()).toBe('1,2');
    await dropOld();
  });

  test('with control: killed, and so damaged that it cannot start', async () => {
    await kill();
    await truncate(join(server.data, 'ibdata1'), 1000);
    const log = join(server.root, 'log');
    const { size } = await stat(log);
    await run('/bin/sh', [server.start]);
    // It begins, and gives up.
    await until(async () => (await stat(log)).size > size);
    await until(async () => !commandLines().some((line) => line.includes(`--socket=${server.socket}`)));
    expect(await rows()).toBeUndefined();
    expect(await findServerUsing(server.data)).toBeUndefined();
    const { isGo, job } = await restore('damaged', controlled());
    expect(isGo).toBe(true);
    expect(job.failure).toBeUndefined();
    expect(await rows()).toBe('1,2');
    const old = job.kind === 'restore' ? (job.result?.old ?? '') : '';
    expect((await stat(join(old, 'ibdata1'))).size).toBe(1000);
    await dropOld();
  });

  test('without its data directory: that may not be mounted, so a person makes it', async () => {
    await kill();
    await rm(server.data, { recursive: true });
    const refused = await restore('gone', home);
    const missing = { code: 'data-directory-missing', message: expect.stringContaining(server.data) };
    expect(refused.findings).toMatchObject([{ level: 'error', ...missing }]);
    expect(refused.job).toMatchObject({ failure: missing });
    await mkdir(server.data);
    await serverUser().own(server.data);
    const { isGo, job } = await restore('made', home);
    expect(isGo).toBe(true);
    expect(job.failure).toBeUndefined();
    await startByHand();
    expect(await rows()).toBe('1,2');
    await dropOld();
  });

  test('that runs, and does not answer where it did: without control it is not touched', async () => {
    await rm(server.socket);
    const { isGo, findings, job } = await restore('hidden', home);
    expect(isGo).toBe(false);
    expect(findings).toContainEqual(expect.objectContaining({ level: 'error', code: 'server-running' }));
    expect(job).toMatchObject({ failure: { code: 'server-running' } });
    await stopByHand();
    await startByHand();
    expect(await rows()).toBe('1,2,9');
  });

  test('that refuses the agent is one that is up: what is remembered does not count', async () => {
    const database = { socket: server.socket, user: 'nobody-here' };
    const { findings, job } = await restore('refused', { ...home, config: { ...home.config, database } });
    expect(findings).toMatchObject([{ level: 'error', code: 'database-access-denied' }]);
    expect(job).toMatchObject({ failure: { code: 'database-access-denied' } });
    const cause = Object.assign(new Error('Too many connections'), { code: 'ER_CON_COUNT_ERROR' });
    const busy = async () => Promise.reject(new Failure('database-unreachable', 'Cannot reach it', { cause }));
    await using agent = await startTestAgent(home, { host: { readServerFacts: busy } });
    using client = await clientOf(home, agent);
    const body = { kind: 'restore', ...wish() } as const;
    expect((await client.preflight({ body, signal })).findings).toMatchObject([{ code: 'database-unreachable' }]);
  });

  test('an agent that never saw it says what can be done without that', async () => {
    await using other = await makeAgentHome({ config: { ...agentConfig(), restore: { mayRestoreInPlace: true } } });
    await stopByHand();
    const { findings, job } = await restore('never', other);
    expect(findings).toMatchObject([
      { level: 'error', code: 'server-never-seen', nextStep: expect.stringContaining('--data-directory') },
    ]);
    expect(job).toMatchObject({ failure: { code: 'server-never-seen' } });
    // Nor did one whose file leads to another server since.
    const database = { ...agentConfig().database, socket: join(server.root, 'another.sock') };
    const moved = await restore('moved', { ...home, config: { ...home.config, database } });
    expect(moved.job).toMatchObject({ failure: { code: 'server-never-seen' } });
    await startByHand();
  });

  function wish() {
    return { attempt: 1, backup, location: 'main', target: { inPlace: true } as const };
  }

  function agentConfig() {
    return { database: { socket: server.socket, user: 'root' }, toolPath: bin };
  }

  function controlled(): AgentHome {
    const control = { type: 'commands', stop: [server.stop], start: [server.start] };
    const config = { ...home.config, restore: { mayRestoreInPlace: true, control, controlLimitSeconds: 20 } };
    return { ...home, config };
  }

  /** The check before, and the restore, by an agent that has just been started. */
  async function restore(id: string, at: AgentHome) {
    await using agent = await spawnAgent(at);
    using client = await clientOf(at, agent);
    const body = wish();
    const { isGo, findings } = await client.preflight({ body: { kind: 'restore', ...body }, signal });
    await client.start('restore', id, { body, signal });
    const job = await ending(client, 'restore', id);
    const lines: string[] = [];
    for await (const { text } of client.log('restore', id, { signal })) lines.push(text);
    return { isGo, findings, job, log: lines.join('\n') };
  }

  async function stopByHand(): Promise<void> {
    await run('/bin/sh', [server.stop]);
    expect(await findServerUsing(server.data)).toBeUndefined();
  }

  async function startByHand(): Promise<void> {
    await run('/bin/sh', [server.start]);
    await until(async () => (await server.value('SELECT 1')) === '1');
  }

  async function kill(): Promise<void> {
    const found = await findServerUsing(server.data);
    if (found === undefined) throw new Error('The server does not run');
    process.kill(found.pid, 'SIGKILL');
    await until(async () => (await findServerUsing(server.data)) === undefined);
  }

  async function dropOld(): Promise<void> {
    for (const directory of [dirname(server.data), join(server.root, 'logs')])
      for (const name of (await readdir(directory)).filter((each) => each.startsWith('.holdfast-old-')))
        await rm(join(directory, name), { recursive: true });
  }

  /** Ids in the table; undefined while no server answers. */
  async function rows(): Promise<string | undefined> {
    return server.value('SELECT GROUP_CONCAT(id ORDER BY id) FROM app.t');
  }
});
