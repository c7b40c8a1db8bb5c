import { access, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Agent } from '../../src/agent/main.ts';
import type { AgentClient, JobInput } from '../../src/api/client.ts';
import type { Job, JobKind } from '../../src/api/jobs.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { newBackupId } from '../../src/repository/names.ts';
import { type AgentHome, clientOf, makeAgentHome, startTestAgent } from '../support/agents.ts';
import { type MariadbServer, startMariadb, startVersitygw, type VersitygwServer } from '../support/servers.ts';
import { writeFile } from 'node:fs/promises';

const signal = new AbortController().signal;

describe('an agent beside a MariaDB server', () => {
  const stack = new AsyncDisposableStack();
  let server: MariadbServer;
  let s3: VersitygwServer;
  let home: AgentHome;
  let agent: Agent;
  let client: AgentClient;
  let first: string;

  beforeAll(async () => {
    server = stack.use(await startMariadb({ options: ['--log-bin=bin', '--server-id=5'] }));
    await server.query(
      'CREATE DATABASE app; USE app; CREATE TABLE t (id INT PRIMARY KEY, t TEXT) SELECT seq AS id, MD5(seq) AS t FROM seq_1_to_20000',
    );
    s3 = stack.use(await startVersitygw());
    await s3.createBucket('backups');
    home = stack.use(await makeAgentHome({ server }));
    const credentialsFile = join(home.directory, 's3');
    const lines = ['[default]', `aws_access_key_id = ${s3.accessKey}`, `aws_secret_access_key = ${s3.secretKey}`];
    await writeFile(credentialsFile, lines.join('\n'), { mode: 0o600 });
    const location = `s3://backups?region=${s3.region}&endpoint=${encodeURIComponent(s3.endpoint)}`;
    Object.assign(home.config['locations'] ?? {}, {
      bucket: { location, credentialsFile, encryption: { type: 'none' } },
    });
    agent = stack.use(await startTestAgent(home));
    client = stack.use(await clientOf(home, agent));
  });

  afterAll(() => stack.disposeAsync());

  const run = async <Kind extends JobKind>(kind: Kind, id: string, body: JobInput<Kind>): Promise<Job> => {
    await client.start(kind, id, { body, signal });
    let last: Job | undefined;
    for await (const job of client.watch(kind, id, { signal, pollMs: 50 })) last = job;
    if (last === undefined) throw new Error('no job');
    return last;
  };
  const wish = { attempt: 1, name: 'nightly', service: 'db1', location: 'main', folder: 'team/db1' };

  test('says what it sees', async () => {
    const info = await client.server({ signal });
    expect(info).toMatchObject({
      agent: { version: '0.0.0-test' },
      database: { isUp: true, vendor: 'MariaDB', dataDirectory: server.dataDirectory },
      engines: [{ name: 'mariadb-backup', isChosen: true }],
      locations: ['main', 'bucket'],
      restoreDirectories: [home.restores],
      mayRestoreInPlace: false,
    });
  });

  test('finds nothing against a backup, and says what is against a wrong one', async () => {
    const good = await client.preflight({ body: { kind: 'backup', ...wish }, signal });
    expect(good.findings.filter(({ level }) => level === 'error')).toEqual([]);
    expect(good.isGo).toBe(true);
    const bad = await client.preflight({ body: { kind: 'backup', ...wish, location: 'nowhere' }, signal });
    expect(bad.isGo).toBe(false);
    expect(bad.findings).toContainEqual(expect.objectContaining({ level: 'error', code: 'unknown-location' }));
  });

  test('takes a backup, with its log as it is written', async () => {
    first = newBackupId(systemClock.now());
    const started = await client.start('backup', first, { body: wish, signal });
    expect(started).toMatchObject({ kind: 'backup', id: first, attempt: 1, isLocked: false });
    expect(['Starting', 'Running']).toContain(started.state);
    // The same pair again, while it runs: the same answer.
    const again = await client.start('backup', first, { body: wish, signal });
    expect(again.startedAt).toBe(started.startedAt);
    const lines: string[] = [];
    for await (const { number, text } of client.log('backup', first, { signal })) {
      expect(number).toBe(lines.length);
      lines.push(text);
    }
    const job = await client.get('backup', first, { signal });
    expect(job).toMatchObject({ state: 'Succeeded', result: { backup: first, service: 'db1', name: 'nightly' } });
    expect(job.bytes.read).toBeGreaterThan(1e6);
    expect(lines.join('\n')).toContain('completed OK!');
    expect(lines.at(-1)).toBe('holdfast: Succeeded');
    await access(join(home.store, 'team/db1/seals', `${first}.json`));
    const tail: string[] = [];
    for await (const { text } of client.log('backup', first, { from: lines.length - 3, signal })) tail.push(text);
    expect(tail).toEqual(lines.slice(-3));
  });

  test('answers the same pair as before, and refuses others that make no sense', async () => {
    const done = await client.start('backup', first, { body: wish, signal });
    expect(done.state).toBe('Succeeded');
    const asking = (body: Partial<typeof wish>) =>
      client.start('backup', first, { body: { ...wish, ...body }, signal });
    await expect(asking({ name: 'other' })).rejects.toMatchObject({ code: 'attempt-differs' });
    await expect(asking({ attempt: 2 })).rejects.toMatchObject({ code: 'already-succeeded' });
    await expect(client.get('backup', newBackupId(0), { signal })).rejects.toMatchObject({ code: 'no-such-job' });
  });

  test('stores in a bucket, where another attempt at a sealed backup is refused', async () => {
    const id = newBackupId(systemClock.now());
    const job = await run('backup', id, { ...wish, location: 'bucket', compression: 3, parallel: 2 });
    expect(job).toMatchObject({ state: 'Succeeded' });
    await stat(join(s3.dir, 'backups/team/db1/seals', `${id}.json`));
  });

  test('restores into a directory that its file lists, and drills', async () => {
    const directory = join(home.restores, 'one');
    const from = { attempt: 1, backup: first, location: 'main', folder: 'team/db1' };
    const body = { ...from, target: { directory } };
    const check = await client.preflight({ body: { kind: 'restore', ...body }, signal });
    expect(check).toMatchObject({ isGo: true });
    const restored = await run('restore', 'r-1', body);
    expect(restored).toMatchObject({ state: 'Succeeded', result: { target: directory } });
    await access(join(directory, 'app', 't.ibd'));
    const wrong = await run('restore', 'r-2', body);
    expect(wrong).toMatchObject({ state: 'Failed', failure: { code: 'target-not-empty', isPermanent: true } });
    const drilled = await run('drill', 'd-1', { ...from, withChecksums: true });
    const [[, checksum] = []] = await server.query('CHECKSUM TABLE app.t');
    expect(drilled.failure).toBeUndefined();
    expect(drilled).toMatchObject({ state: 'Succeeded', result: { checksums: { 'app.t': checksum } } });
  });

  test('counts for Prometheus', async () => {
    const { text } = await raw('/metrics');
    expect(text).toMatch(/^holdfast_jobs_ended_total\{kind="backup",state="Succeeded"\} 2$/m);
    expect(text).toMatch(/^holdfast_last_success_timestamp_seconds\{kind="drill"\} \d+/m);
    expect(text).toMatch(/^holdfast_database_up\{role="protected"\} 1$/m);
    expect(text).toMatch(/^holdfast_build_info\{version="0.0.0-test"\} 1$/m);
  });

  const raw = async (path: string): Promise<{ text: string }> => {
    const { send, readText } = await import('../../src/api/transport.ts');
    const { trustingAgent } = await import('../../src/api/pinned-agent.ts');
    const https = trustingAgent({ fingerprint: agent.fingerprint });
    const token = (await readFile(join(home.state, 'token'), 'utf8')).trim();
    const url = new URL(path, agent.url);
    const headers = { authorization: `Bearer ${token}` };
    const response = await send({ method: 'GET', url, headers, agent: https, idleMs: 5_000, signal });
    const text = await readText(response, { url, maximum: 1e6, signal });
    https.destroy();
    return { text };
  };
});
