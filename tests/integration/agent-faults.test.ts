import { readdir, readFile } from 'node:fs/promises';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentClient } from '../../src/api/client.ts';
import { isEnded, type Job } from '../../src/api/jobs.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { newBackupId } from '../../src/repository/names.ts';
import {
  type AgentHome,
  clientOf,
  ending,
  makeAgentHome,
  spawnAgent,
  startTestAgent,
  until,
} from '../support/agents.ts';
import { holdBackups } from '../support/held-backups.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';

const signal = new AbortController().signal;
const wish = { attempt: 1, name: 'faults', service: 'db1', location: 'main' };

describe('an agent that is disturbed', () => {
  const stack = new AsyncDisposableStack();
  let server: MariadbServer;
  let home: AgentHome;

  beforeAll(async () => {
    server = stack.use(await startMariadb({ options: ['--log-bin=bin', '--server-id=6'] }));
    await server.query(
      'CREATE DATABASE app; USE app; CREATE TABLE small (id INT); CREATE TABLE big (id INT PRIMARY KEY, t BLOB) SELECT seq AS id, RANDOM_BYTES(1024) AS t FROM seq_1_to_40000',
    );
    home = stack.use(await makeAgentHome({ server }));
  });

  afterAll(() => stack.disposeAsync());

  test('that is cancelled while a tool waits for a lock leaves neither tool nor lock', async () => {
    await using agent = await startTestAgent(home);
    using client = await clientOf(home, agent);
    const held = await holdBackups(server);
    const id = newBackupId(systemClock.now());
    await client.start('backup', id, { body: wish, signal });
    await until(async () => (await backupThreads(server)) > 0);
    const job = await client.get('backup', id, { signal });
    expect(job).toMatchObject({ state: 'Running', isCancelled: false });
    const cancelled = await client.cancel('backup', id, { signal });
    expect(cancelled.isCancelled).toBe(true);
    const ended = await ending(client, 'backup', id);
    expect(ended).toMatchObject({ state: 'Cancelled', isLocked: false, failure: { code: 'cancelled' } });
    await until(async () => (await toolsOf(process.pid)).length === 0);
    // Again, and too late: nothing happens.
    expect(await client.cancel('backup', id, { signal })).toEqual(ended);
    await held[Symbol.asyncDispose]();
    await until(async () => (await backupThreads(server)) === 0);
    await server.query('INSERT INTO app.small VALUES (1)');
    // The next attempt of the same backup goes well.
    await client.start('backup', id, { body: { ...wish, attempt: 2 }, signal });
    expect(await ending(client, 'backup', id)).toMatchObject({ state: 'Succeeded', attempt: 2 });
  });

  test('refuses another job while one runs, and names it', async () => {
    await using agent = await startTestAgent(home);
    using client = await clientOf(home, agent);
    const [id, other] = [newBackupId(systemClock.now()), newBackupId(systemClock.now())];
    // Both at once: one of them wins.
    const asked = await Promise.allSettled(
      [id, other].map(async (each) => client.start('backup', each, { body: { ...wish, attempt: 2 }, signal })),
    );
    const [winner = ''] = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value.id] : []));
    const [loser] = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(loser).toMatchObject({ code: 'busy', message: expect.stringContaining(winner) });
    const drill = { attempt: 1, backup: id, location: 'main' };
    await expect(client.start('drill', 'd', { body: drill, signal })).rejects.toMatchObject({ code: 'busy' });
    const lower = client.start('backup', winner, { body: wish, signal });
    await expect(lower).rejects.toMatchObject({ code: 'attempt-superseded' });
    const higher = client.start('backup', winner, { body: { ...wish, attempt: 3 }, signal });
    await expect(higher).rejects.toMatchObject({ code: 'busy' });
    await client.cancel('backup', winner, { signal });
    await ending(client, 'backup', winner);
  });

  test('that is told to stop ends its job, says so, and goes on with the next attempt', async () => {
    await using killed = await spawnAgent(home);
    const id = newBackupId(systemClock.now());
    {
      await using _held = await holdBackups(server);
      using client = await clientOf(home, killed);
      await client.start('backup', id, { body: wish, signal });
      await until(async () => (await client.get('backup', id, { signal })).step === 'copying');
      await killed.child.end('SIGTERM');
    }
    await until(async () => (await toolsOf(killed.child.pid)).length === 0);
    const token = (await readFile(join(home.state, 'token'), 'utf8')).trim();
    expect(killed.child.printed()).toContain('The agent is ready');
    for (const secret of [token, home.key]) expect(killed.child.printed()).not.toContain(secret);
    await using agent = await startTestAgent(home);
    using client = await clientOf(home, agent);
    expect(await client.get('backup', id, { signal })).toMatchObject({
      state: 'Failed',
      failure: { code: 'agent-stopped', isPermanent: false },
    });
  });

  test('that is killed at any moment tells the truth, and its next attempt takes over what was uploaded', async () => {
    const seed = randomInt(2 ** 31);
    const instants = [0, 1].map((index) => 50 + (((seed % 1_009) * (index + 1)) % 997));
    console.log(
      `killed after ${instants.join(', ')} ms (seed ${seed}), when something was uploaded, and while it seals`,
    );
    const id = newBackupId(systemClock.now());
    const wait = async (client: AgentClient, isNow: (job: Job) => boolean): Promise<void> =>
      until(async () => {
        const job = await client.get('backup', id, { signal });
        return isNow(job) || isEnded(job.state);
      }, 5);
    const waits: ((client: AgentClient) => Promise<unknown>)[] = [
      ...instants.map((instant) => async () => sleep(instant)),
      async (client) => wait(client, ({ bytes }) => (bytes.uploaded ?? 0) > 0),
      async (client) => wait(client, ({ step }) => step === 'uploading' || step === 'sealing'),
    ];
    const steps: string[] = [];
    for (const [index, untilThen] of waits.entries()) {
      // What comes late must not find that all is done.
      await using _held = index < instants.length ? await holdBackups(server) : undefined;
      await using killed = await spawnAgent(home);
      using client = await clientOf(home, killed);
      const attempt = index + 1;
      await client.start('backup', id, { body: { ...wish, attempt, compression: 0 }, signal });
      await untilThen(client);
      await killed.child.end('SIGKILL');
      await until(async () => (await toolsOf(killed.child.pid)).length === 0);
      await using next = await startTestAgent(home);
      using after = await clientOf(home, next);
      const job = await after.get('backup', id, { signal });
      expect(job.attempt).toBe(attempt);
      // At its end it may have been faster.
      if (job.state === 'Succeeded' && attempt > instants.length) break;
      expect(job).toMatchObject({ attempt, state: 'Failed', failure: { code: 'agent-restarted', isPermanent: false } });
      steps.push(job.step);
    }
    console.log(`what was on disk by then: ${steps.join(', ')}`);
    {
      await using agent = await startTestAgent(home);
      using client = await clientOf(home, agent);
      const { state } = await client.get('backup', id, { signal });
      const attempt = state === 'Succeeded' ? waits.length : waits.length + 1;
      await client.start('backup', id, { body: { ...wish, attempt, compression: 0 }, signal });
      let log = '';
      for await (const { text } of client.log('backup', id, { signal })) log += `${text}\n`;
      expect(await ending(client, 'backup', id)).toMatchObject({ state: 'Succeeded' });
      const isAdopted = /[1-9]\d* segments of earlier attempts are there|the backup is sealed already/.test(log);
      expect(isAdopted).toBe(true);
    }
    await using agent = await startTestAgent(home);
    using client = await clientOf(home, agent);
    const drill = { attempt: 1, backup: id, location: 'main', withChecksums: true };
    await client.start('drill', 'after-kills', { body: drill, signal });
    const [[, checksum] = []] = await server.query('CHECKSUM TABLE app.big');
    expect(await ending(client, 'drill', 'after-kills')).toMatchObject({
      state: 'Succeeded',
      result: { checksums: { 'app.big': checksum } },
    });
  });

  test('that is killed during a drill and a restore removes what they left', async () => {
    const id = newBackupId(systemClock.now());
    await using first = await spawnAgent(home);
    {
      using client = await clientOf(home, first);
      await client.start('backup', id, { body: wish, signal });
      expect(await ending(client, 'backup', id)).toMatchObject({ state: 'Succeeded' });
      const drill = { attempt: 1, backup: id, location: 'main', withChecksums: true };
      await client.start('drill', 'killed', { body: drill, signal });
      await until(async () => ['start', 'check'].includes((await client.get('drill', 'killed', { signal })).step), 20);
    }
    await first.child.end('SIGKILL');
    const target = { directory: join(home.restores, 'killed') };
    await using second = await spawnAgent(home);
    {
      using client = await clientOf(home, second);
      expect(await client.get('drill', 'killed', { signal })).toMatchObject({ failure: { code: 'agent-restarted' } });
      await until(async () => (await readdir(join(home.state, 'drills'))).length === 0);
      expect(await processesWith(home.state)).toEqual([]);
      await client.start('restore', 'killed', { body: { attempt: 1, backup: id, location: 'main', target }, signal });
      const isBefore = ({ step }: Job): boolean => step === 'starting' || step === 'preflight';
      await until(async () => !isBefore(await client.get('restore', 'killed', { signal })), 5);
    }
    await second.child.end('SIGKILL');
    await using third = await spawnAgent(home);
    using client = await clientOf(home, third);
    await until(async () => (await readdir(home.restores)).length === 0);
    await client.start('restore', 'killed', { body: { attempt: 2, backup: id, location: 'main', target }, signal });
    expect(await ending(client, 'restore', 'killed')).toMatchObject({ state: 'Succeeded', attempt: 2 });
    expect(await readdir(home.restores)).toEqual(['killed']);
  });
});

/** Threads of the server that a tool's connections wait or work in. */
async function backupThreads(server: MariadbServer): Promise<number> {
  const rows = await server.query(
    "SELECT id FROM information_schema.PROCESSLIST WHERE info LIKE '%BACKUP %' AND id <> CONNECTION_ID()",
  );
  return rows.length;
}

/** Backup tools that this process started: it stands in the name of their private files. */
async function toolsOf(pid: number): Promise<string[]> {
  return processesWith(`/holdfast-private-${pid}-`);
}

async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' ')).filter((line) => line.includes(text));
}
