import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job, ManagedLocation } from '../../src/api/jobs.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { newBackupId } from '../../src/repository/names.ts';
import { type AgentHome, type AgentProcess, clientOf, ending, makeAgentHome, spawnAgent } from '../support/agents.ts';
import { type MariadbServer, startMariadb, startVersitygw, type VersitygwServer } from '../support/servers.ts';

const signal = new AbortController().signal;
const passphrase = 'never-to-be-seen-passphrase';

/** Storage locations that come with a request, as a manager sends them. */
describe('a location that a request brings along', () => {
  const stack = new AsyncDisposableStack();
  let server: MariadbServer;
  let s3: VersitygwServer;
  let home: AgentHome;
  let agent: AgentProcess;
  let where: string;
  let backup: string;

  beforeAll(async () => {
    server = stack.use(await startMariadb());
    await server.query('CREATE DATABASE app; USE app; CREATE TABLE t SELECT seq AS id FROM seq_1_to_20000');
    s3 = stack.use(await startVersitygw());
    for (const bucket of ['managed', 'other']) await s3.createBucket(bucket);
    const query = `region=${s3.region}&endpoint=${encodeURIComponent(s3.endpoint)}`;
    where = `s3://managed/fleet?${query}`;
    home = stack.use(await makeAgentHome({ server, config: { managedLocations: [`s3://managed/fleet?${query}`] } }));
    agent = stack.use(await spawnAgent(home));
  });

  afterAll(() => stack.disposeAsync());

  const managed = (more: Partial<ManagedLocation> = {}): ManagedLocation => ({
    name: 'fleet',
    location: where,
    credentials: { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey },
    encryption: { type: 'passphrase', passphrase },
    ...more,
  });
  const back = async (location: ManagedLocation, id = newBackupId(systemClock.now())): Promise<Job> => {
    using client = await clientOf(home, agent);
    const body = { attempt: 1, name: 'n', service: 's', location, folder: 'db1' };
    await client.start('backup', id, { body, signal });
    return await ending(client, 'backup', id);
  };
  /** Everything that the agent kept or said. */
  const traces = async (): Promise<string> => {
    const files = await readdir(home.state, { recursive: true, withFileTypes: true });
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readFile(join(file.parentPath, file.name), 'utf8'));
    return [...(await Promise.all(texts)), agent.child.printed()].join('\n');
  };
  const expectNoSecret = async (more: string): Promise<void> => {
    const said = `${await traces()}\n${more}`;
    for (const secret of [passphrase, s3.secretKey, 'a-wrong-secret']) expect(said).not.toContain(secret);
  };

  test('is used with its credentials and its passphrase, and keeps no secret', async () => {
    backup = newBackupId(systemClock.now());
    const job = await back(managed(), backup);
    expect(job).toMatchObject({ state: 'Succeeded', request: { location: { name: 'fleet', location: where } } });
    expect(Object.keys(Object(job.request.location))).toEqual(['name', 'location']);
    await expectNoSecret(JSON.stringify(job));
    // It is encrypted: without the passphrase, or with another one, nobody gets in.
    const without = await back(managed({ encryption: { type: 'none' } }));
    expect(without.failure).toMatchObject({ isPermanent: true });
    const wrong = await back(managed({ encryption: { type: 'passphrase', passphrase: 'another one' } }));
    expect(wrong.failure).toMatchObject({ code: 'wrong-key', isPermanent: true });
  });

  test('serves restores, drills and checks before them', async () => {
    using client = await clientOf(home, agent);
    const common = { attempt: 1, backup, location: managed(), folder: 'db1' };
    const target = { directory: join(home.restores, 'copy') };
    const preflight = await client.preflight({ body: { kind: 'restore', ...common, target }, signal });
    expect(preflight).toMatchObject({ isGo: true });
    await client.start('restore', 'copy', { body: { ...common, target }, signal });
    expect((await ending(client, 'restore', 'copy')).failure).toBeUndefined();
    await client.start('drill', 'proof', { body: common, signal });
    expect((await ending(client, 'drill', 'proof')).failure).toBeUndefined();
    await expectNoSecret(JSON.stringify(await client.list({ signal })));
  });

  test('tells of a wrong secret without showing it', async () => {
    const credentials = { accessKeyId: s3.accessKey, secretAccessKey: 'a-wrong-secret' };
    const job = await back(managed({ credentials }));
    expect(job.state).toBe('Failed');
    await expectNoSecret(JSON.stringify(job));
  });

  test('asked for again, with the same words, is the same job', async () => {
    using client = await clientOf(home, agent);
    const body = { attempt: 1, name: 'n', service: 's', location: managed(), folder: 'db1' };
    expect(await client.start('backup', backup, { body, signal })).toMatchObject({ state: 'Succeeded' });
    const other = { ...body, location: managed({ name: 'elsewhere' }) };
    await expect(client.start('backup', backup, { body: other, signal })).rejects.toMatchObject({
      code: 'attempt-differs',
    });
  });

  test.each([
    ['another bucket', () => where.replace('managed', 'other')],
    ['the bucket at another place', () => 's3://managed/fleet?endpoint=https://elsewhere.example'],
    ['a neighbour of what is allowed', () => where.replace('/fleet', '/fleet2')],
    ['a directory', () => '/etc'],
  ])('is refused where the agent does not allow it: %s', async (_, location) => {
    const job = await back(managed({ location: location() }));
    expect(job.failure).toMatchObject({ code: 'location-not-allowed', isPermanent: true });
    expect(job.failure?.nextStep).toContain('managedLocations');
    using client = await clientOf(home, agent);
    const body = { kind: 'backup', attempt: 1, name: 'n', service: 's', location: managed({ location: location() }) };
    const { isGo, findings } = await client.preflight({ body: { ...body, kind: 'backup' }, signal });
    expect({ isGo, code: findings.at(-1)?.code }).toEqual({ isGo: false, code: 'location-not-allowed' });
  });

  test('in a directory follows no link out of what is allowed', async () => {
    const allowed = join(home.directory, 'allowed');
    await mkdir(join(home.directory, 'secret'));
    await mkdir(allowed);
    await symlink(join(home.directory, 'secret'), join(allowed, 'out'));
    await using other = await makeAgentHome({ server, config: { managedLocations: [allowed] } });
    await using process = await spawnAgent(other);
    using client = await clientOf(other, process);
    const outcome = async (path: string) => {
      const location = { name: 'd', location: path, encryption: { type: 'none' as const } };
      const id = newBackupId(systemClock.now());
      await client.start('backup', id, { body: { attempt: 1, name: 'n', service: 's', location }, signal });
      return (await ending(client, 'backup', id)).failure?.code;
    };
    expect(await outcome(join(allowed, 'out'))).toBe('location-not-allowed');
    expect(await outcome(allowed)).toBeUndefined();
    expect(await readdir(join(home.directory, 'secret'))).toEqual([]);
  });

  test('is gone after a restart of the agent: the job has failed, and a new attempt brings it again', async () => {
    using client = await clientOf(home, agent);
    const id = newBackupId(systemClock.now());
    const body = { attempt: 1, name: 'n', service: 's', location: managed(), folder: 'killed' };
    await client.start('backup', id, { body, signal });
    await agent.child.end('SIGKILL');
    agent = stack.use(await spawnAgent(home));
    using next = await clientOf(home, agent);
    expect(await next.get('backup', id, { signal })).toMatchObject({ failure: { code: 'agent-restarted' } });
    await next.start('backup', id, { body: { ...body, attempt: 2 }, signal });
    expect((await ending(next, 'backup', id)).failure).toBeUndefined();
    await expectNoSecret('');
  });
});
