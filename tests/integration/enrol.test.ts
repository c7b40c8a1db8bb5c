import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completeConfig } from '../../src/agent/config.ts';
import { startAgent } from '../../src/agent/main.ts';
import { EnrolClient } from '../../src/api/enrol-client.ts';
import { formatJoinToken, heartbeatPath, parseJoinToken } from '../../src/api/enrol.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { newBackupId } from '../../src/repository/names.ts';
import { makeAgentHome, startTestAgent, until } from '../support/agents.ts';
import { freePort } from '../support/child.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';

const signal = new AbortController().signal;
const options = { heartbeatMs: 200 };

describe('an agent that joins a manager', () => {
  const stack = new AsyncDisposableStack();
  let server: MariadbServer;
  let fleet: Fleet;

  beforeAll(async () => {
    server = stack.use(await startMariadb());
    fleet = stack.use(await startFleet());
  });

  afterAll(() => stack.disposeAsync());

  test.each(['listens', 'dials'] as const)('and %s is heard, reached and told what to do', async (type) => {
    await using home = await makeAgentHome({ server });
    await using agent = await startTestAgent(home, options);
    const name = `db-${type}`;
    const listenUrl = type === 'listens' ? agent.url : undefined;
    expect(await fleet.join(home, { name, listenUrl })).toBe(name);
    const { status, spec } = await fleet.reaches(name, 'Connected');
    expect(spec.connection.type).toBe(type);
    expect(status).toMatchObject({
      version: '0.0.0-test',
      server: { isUp: true, vendor: 'MariaDB', dataDirectory: server.dataDirectory },
      engines: [{ name: 'mariadb-backup', isChosen: true }],
      locations: ['main'],
    });
    expect(await fleet.catalog.get('Service', name)).toMatchObject({ spec: { agent: name } });
    const calls = fleet.agents.launcher.agent(name);
    const id = newBackupId(systemClock.now());
    const body = { attempt: 1, name: 'n', service: name, location: 'main' };
    expect(await calls.preflight({ body: { kind: 'backup', ...body }, signal })).toMatchObject({ isGo: true });
    await calls.start('backup', id, { body, signal });
    await until(async () => (await calls.get('backup', id, { signal })).endedAt !== undefined);
    expect(await calls.get('backup', id, { signal })).toMatchObject({ state: 'Succeeded' });
    const lines: string[] = [];
    for await (const { text } of calls.log('backup', id, { signal })) lines.push(text);
    expect(lines.at(-1)).toBe('holdfast: Succeeded');
    await expect(calls.get('backup', newBackupId(0), { signal })).rejects.toMatchObject({ code: 'no-such-job' });
    // What the agent keeps is for its user alone.
    expect((await stat(join(home.state, 'manager.json'))).mode & 0o777).toBe(0o600);
    expect(fleet.troubles).toEqual([]);
  });

  test('tells at once when a job met a server that refuses it, and when one did not any more', async () => {
    await server.query('CREATE USER hf@localhost; GRANT ALL ON *.* TO hf@localhost');
    const database = { socket: server.socket, user: 'hf' };
    await using home = await makeAgentHome({ server, config: { database } });
    await fleet.join(home, { name: 'refused' });
    // It looks by itself every 20 seconds.
    await using _ = await startTestAgent(home);
    const isUp = async (): Promise<boolean | undefined> => {
      const agent = await fleet.catalog.get('Agent', 'refused');
      return agent?.status.server?.isUp;
    };
    await expect.poll(isUp, { timeout: 10_000 }).toBe(true);
    const calls = fleet.agents.launcher.agent('refused');
    const outcome = async (): Promise<string> => {
      const id = newBackupId(systemClock.now());
      const body = { attempt: 1, name: 'n', service: 'refused', location: 'main' };
      await calls.start('backup', id, { body, signal });
      await until(async () => (await calls.get('backup', id, { signal })).endedAt !== undefined);
      return (await calls.get('backup', id, { signal })).state;
    };
    await server.query("ALTER USER hf@localhost IDENTIFIED BY 'x'");
    expect(await outcome()).toBe('Failed');
    await expect.poll(isUp, { timeout: 8_000 }).toBe(false);
    await server.query("ALTER USER hf@localhost IDENTIFIED BY ''");
    expect(await outcome()).toBe('Succeeded');
    await expect.poll(isUp, { timeout: 8_000 }).toBe(true);
  });

  test('needs a token that is good, once', async () => {
    await using home = await makeAgentHome();
    const { token } = await fleet.agents.joinTokens.create({ validSeconds: 60, url: fleet.url });
    const { secret } = parseJoinToken(token);
    const good = formatJoinToken({ url: fleet.url, fingerprint: fleet.fingerprint, secret });
    await expect(fleet.join(home, { name: 'x', token: 'hfj1.abc' })).rejects.toMatchObject({
      code: 'join-token-invalid',
    });
    const forged = formatJoinToken({ url: fleet.url, fingerprint: fleet.fingerprint, secret: `${secret}x` });
    await expect(fleet.join(home, { name: 'x', token: forged })).rejects.toMatchObject({ code: 'join-token-refused' });
    const misled = formatJoinToken({ url: fleet.url, fingerprint: '00'.repeat(32), secret });
    await expect(fleet.join(home, { name: 'x', token: misled })).rejects.toMatchObject({ code: 'manager-not-trusted' });
    expect(await fleet.join(home, { name: 'x', token: good })).toBe('x');
    await using other = await makeAgentHome();
    await expect(fleet.join(other, { name: 'y', token: good })).rejects.toMatchObject({
      code: 'join-token-refused',
      message: expect.stringContaining('used before'),
    });
    const expired = await fleet.agents.joinTokens.create({ validSeconds: -1, ...fleet });
    await expect(fleet.join(other, { name: 'y', token: expired.token })).rejects.toMatchObject({
      code: 'join-token-refused',
    });
    expect(await fleet.catalog.get('Agent', 'y')).toBeUndefined();
  });

  test('is answered again when the answer was lost, and nobody else is', async () => {
    const { token } = await fleet.agents.joinTokens.create({ validSeconds: 60, ...fleet });
    const { secret } = parseJoinToken(token);
    using client = new EnrolClient(fleet);
    const connection = { type: 'dials' as const, agentToken: 'a-token-of-16-characters' };
    const request = { token: secret, name: 'again', hostname: 'h', version: '0.0.1', connection, hasDatabase: false };
    const first = await client.enrol({ ...request, nonce: 'a'.repeat(16) }, { signal });
    const second = await client.enrol({ ...request, nonce: 'a'.repeat(16) }, { signal });
    expect(second.credential).not.toBe(first.credential);
    await expect(client.enrol({ ...request, nonce: 'b'.repeat(16) }, { signal })).rejects.toMatchObject({
      code: 'join-token-refused',
    });
    // The last credential counts.
    const beat = { version: '0.0.1', hostname: 'h' };
    using lost = new EnrolClient({ ...fleet, credential: first.credential });
    await expect(lost.heartbeat(beat, { signal })).rejects.toMatchObject({ code: 'not-authorised' });
    using held = new EnrolClient({ ...fleet, credential: second.credential });
    expect(await held.heartbeat(beat, { signal })).toMatchObject({ wantsReport: true });
  });

  test('sends heartbeats of any shape, and is told what is wrong with them', async () => {
    // Wrong credentials are counted by address.
    await using own = await startFleet();
    const { token } = await own.agents.joinTokens.create({ validSeconds: 60, ...own });
    const { secret } = parseJoinToken(token);
    using client = new EnrolClient(own);
    const connection = { type: 'dials' as const, agentToken: 'a-token-of-16-characters' };
    const name = 'shapes';
    const request = { token: secret, name, hostname: 'h', version: '0.0.1', connection, hasDatabase: false };
    const { credential } = await client.enrol({ ...request, nonce: 'a'.repeat(16) }, { signal });
    const beat = { version: '0.0.1', hostname: 'h' };
    const report = { engines: [], restoreDirectories: [], locations: ['x'.repeat(5_000)], managedLocations: [] };
    const shapes: [string, Shape, number, unknown][] = [
      ['in parts', { body: [JSON.stringify(beat).slice(0, 9), JSON.stringify(beat).slice(9)] }, 200, {}],
      ['short', { body: JSON.stringify(beat) }, 200, { wantsReport: true, version: '0.0.0-test' }],
      ['long', { body: JSON.stringify({ ...beat, report }) }, 200, { wantsReport: false }],
      ['short again', { body: JSON.stringify(beat) }, 200, { wantsReport: false }],
      ['no JSON', { body: '{' }, 400, { error: { code: 'invalid-request' } }],
      ['nothing', { body: '' }, 400, { error: { code: 'invalid-request' } }],
      ['a field that is none', { body: '{"version":1}' }, 400, { error: { details: { fields: expect.anything() } } }],
      ['too far', { body: '{"version":"9.0.0","hostname":"h"}' }, 422, { error: { code: 'agent-version-unfit' } }],
      ['no type', { body: JSON.stringify(beat), type: 'text/plain' }, 415, {}],
      ['of nobody', { body: JSON.stringify(beat), credential: `${credential}x` }, 401, {}],
    ];
    for (const [what, shape, status, answer] of shapes)
      expect(await post(own.url, { credential, ...shape }), what).toMatchObject({ status, answer });
  });

  test('takes no name of another one, but with a token for it', async () => {
    await using first = await makeAgentHome();
    await using second = await makeAgentHome();
    await fleet.join(first, { name: 'taken' });
    const { token } = await fleet.agents.joinTokens.create({ validSeconds: 60, ...fleet });
    await expect(fleet.join(second, { name: 'taken', token })).rejects.toMatchObject({ code: 'agent-name-taken' });
    // The token is still good.
    await fleet.join(second, { name: 'free', token });
    await expect(fleet.join(second, { name: 'other', replaces: 'taken' })).rejects.toMatchObject({
      code: 'join-token-for-another',
    });
    await fleet.join(second, { name: 'taken', replaces: 'taken' });
    await using agent = await startTestAgent(second, options);
    await fleet.reaches('taken', 'Connected');
    expect(agent.url).toMatch(/^https/);
  });

  test('whose version is too far away is refused with words that help', async () => {
    await using far = await startFleet({ version: '0.3.0' });
    await using home = await makeAgentHome();
    const { token } = await far.agents.joinTokens.create({ validSeconds: 60, ...far });
    await expect(fleet.join(home, { name: 'old', token })).rejects.toMatchObject({
      code: 'agent-version-unfit',
      message: expect.stringMatching(/0\.0\.0-test.*0\.3\.0/),
    });
    await using near = await startFleet({ version: '0.1.4' });
    const { token: fitting } = await near.agents.joinTokens.create({ validSeconds: 60, ...near });
    expect(await fleet.join(home, { name: 'old', token: fitting })).toBe('old');
  });

  test('in a process that is killed is lost, and found when it is back', async () => {
    await using home = await makeAgentHome();
    await fleet.join(home, { name: 'dies' });
    {
      await using _ = await startTestAgent(home, options);
      await fleet.reaches('dies', 'Connected');
    }
    // It dialled out, so its end shows at once.
    const { status } = await fleet.reaches('dies', 'Lost');
    expect(status.failure).toMatchObject({ code: 'agent-unreachable' });
    await expect(fleet.agents.launcher.agent('dies').list({ signal })).rejects.toMatchObject({
      code: 'agent-unreachable',
    });
    await using _ = await startTestAgent(home, options);
    expect((await fleet.reaches('dies', 'Connected')).status.failure).toBeUndefined();
    expect(await fleet.agents.launcher.agent('dies').list({ signal })).toEqual([]);
  });

  test('and was set up anew is not trusted before it joined again', async () => {
    await using home = await makeAgentHome();
    const port = await freePort();
    await fleet.join(home, { name: 'anew', listenUrl: `https://127.0.0.1:${port}` });
    const config = completeConfig({ ...home.config, listen: { port } }, 'test');
    {
      await using _ = await startAgent(config, { version: '0.0.0-test', logLevel: 'silent', ...options });
      await fleet.reaches('anew', 'Connected');
    }
    for (const file of ['tls-key.pem', 'tls-certificate.pem']) await rm(join(home.state, file));
    await using _ = await startAgent(config, { version: '0.0.0-test', logLevel: 'silent', ...options });
    const outcome = fleet.agents.launcher.agent('anew').list({ signal });
    await expect(outcome).rejects.toMatchObject({ code: 'agent-not-trusted' });
    const { status } = await fleet.reaches('anew', 'NotTrusted');
    expect(status.failure?.nextStep).toContain('holdfast agent join');
    await fleet.join(home, { name: 'anew', replaces: 'anew', listenUrl: `https://127.0.0.1:${port}` });
    await fleet.reaches('anew', 'Connected');
    expect(await fleet.agents.launcher.agent('anew').list({ signal })).toEqual([]);
  });

  test('and has another token since is not trusted either', async () => {
    await using home = await makeAgentHome();
    await fleet.join(home, { name: 'token' });
    await writeFile(join(home.state, 'token'), 'another-token-of-its-own\n');
    await using _ = await startTestAgent(home, options);
    // The manager may find out by itself before anybody asks.
    await until(async () =>
      ['Connected', 'NotTrusted'].includes((await fleet.catalog.get('Agent', 'token'))?.status.state ?? ''),
    );
    await expect(fleet.agents.launcher.agent('token').list({ signal })).rejects.toMatchObject({
      code: 'agent-not-trusted',
      message: expect.stringContaining("refuses the manager's token"),
    });
    await fleet.reaches('token', 'NotTrusted');
  });

  test('and was removed is told so, and opens nothing', async () => {
    // Wrong credentials are counted by address.
    await using own = await startFleet();
    await using home = await makeAgentHome();
    await own.join(home, { name: 'removed' });
    await using _ = await startTestAgent(home);
    const agent = await own.reaches('removed', 'Connected');
    await own.remove(agent);
    const { credential } = JSON.parse(await readFile(join(home.state, 'manager.json'), 'utf8'));
    using client = new EnrolClient({ ...own, credential });
    await expect(client.heartbeat({ version: '0.0.1', hostname: 'h' }, { signal })).rejects.toMatchObject({
      code: 'not-authorised',
    });
    await expect(client.openTunnel({ signal })).rejects.toMatchObject({ code: 'not-authorised' });
    await expect(own.agents.launcher.agent('removed').list({ signal })).rejects.toMatchObject({
      code: 'no-such-agent',
    });
  });
});

interface Shape {
  /** In parts: sent without telling its length. */
  readonly body: string | readonly string[];
  readonly type?: string;
  readonly credential?: string;
}

async function post(origin: string, { body, type = 'application/json', credential }: Shape) {
  const headers = { authorization: `Bearer ${credential}`, 'content-type': type };
  const length = typeof body === 'string' ? { 'content-length': Buffer.byteLength(body) } : {};
  const url = new URL(heartbeatPath, origin);
  const sent = request(url, { method: 'POST', headers: { ...headers, ...length }, rejectUnauthorized: false });
  for (const part of typeof body === 'string' ? [body] : body) sent.write(part);
  sent.end();
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (response === undefined) throw new Error('no answer');
  return { status: response.statusCode, answer: JSON.parse(await text(response)) };
}
