import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadAgentConfig } from '../../src/agent/config.ts';
import type { Agent } from '../../src/agent/main.ts';
import { selfSigned } from '../../src/server/self-signed.ts';
import { AgentClient } from '../../src/api/client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type AgentHome, clientOf, makeAgentHome, startTestAgent } from '../support/agents.ts';

const signal = new AbortController().signal;
const id = '20261121T014327Z-9f3a21bc';
const wish = { attempt: 1, name: 'a', service: 's', location: 'main' };

/** An agent without a database server: what it refuses, it refuses before it would need one. */
describe('access to an agent', () => {
  const stack = new AsyncDisposableStack();
  let home: AgentHome;
  let agent: Agent;
  let token: string;

  beforeAll(async () => {
    home = stack.use(await makeAgentHome());
    agent = stack.use(await startTestAgent(home));
    token = (await readFile(join(home.state, 'token'), 'utf8')).trim();
  });

  afterAll(() => stack.disposeAsync());

  const ask = async (
    method: string,
    path: string,
    options: { token?: string; body?: string | Readable; type?: string } = {},
  ) => {
    const bearer = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
    const type = options.body === undefined ? {} : { 'content-type': options.type ?? 'application/json' };
    const headers = { ...bearer, ...type };
    const outgoing = request(new URL(path, agent.url), { method, headers, rejectUnauthorized: false, agent: false });
    // The agent answers and closes while a large body is still on its way.
    outgoing.on('error', () => undefined);
    if (options.body instanceof Readable) options.body.pipe(outgoing);
    else outgoing.end(options.body);
    const [response] = await once(outgoing, 'response');
    let text = '';
    for await (const part of response.setEncoding('utf8')) text += part;
    return { status: Number(response.statusCode), headers: response.headers, body: JSON.parse(text || '{}') };
  };

  test('needs the token, and nobody is told it', async () => {
    for (const wrong of [undefined, '', 'wrong', `${token}x`, token.slice(1)]) {
      const { status, body, headers } = await ask('GET', '/v1/server', wrong === undefined ? {} : { token: wrong });
      expect(status).toBe(401);
      expect(body.error.code).toBe('not-authorised');
      expect(headers['www-authenticate']).toBe('Bearer');
    }
    const others = ['/metrics', '/v1/jobs', `/v1/backups/${id}`, `/v1/backups/${id}/log`, '/nothing'];
    for (const path of others) expect([401, 429]).toContain((await ask('GET', path, { token: 'no' })).status);
    expect((await ask('GET', '/healthz')).body).toEqual({ status: 'ok' });
    // By now this address has been slowed down, but not the client that knows the token.
    const slowed = await ask('GET', '/v1/server', { token: 'wrong again' });
    expect(slowed.status).toBe(429);
    expect(Number(slowed.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask('GET', '/v1/server', { token })).status).toBe(200);
    await expect(
      (async () => (await clientOf(home, agent, { token: 'wrong' })).server({ signal }))(),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/not-authorised|too-many-failures/),
    });
  });

  test('is refused by a client that expects another certificate, before the token is sent', async () => {
    const { certificate, key } = await selfSigned(['127.0.0.1'], { commonName: 'Holdfast agent', clock: systemClock });
    const heard: Buffer[] = [];
    const impostor = createServer({ cert: certificate, key }, (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => heard.push(bytes));
    });
    impostor.on('tlsClientError', () => undefined);
    impostor.listen(0, '127.0.0.1');
    await once(impostor, 'listening');
    const address = impostor.address();
    const port = typeof address === 'object' ? address?.port : 0;
    using misled = await clientOf(home, { url: `https://127.0.0.1:${port}`, fingerprint: agent.fingerprint });
    await expect(misled.server({ signal })).rejects.toMatchObject({ code: 'agent-not-trusted' });
    await expect(misled.list({ signal })).rejects.toMatchObject({ code: 'agent-not-trusted' });
    impostor.close();
    await once(impostor, 'close');
    expect(Buffer.concat(heard).toString()).toBe('');
  });

  test('works with the certificate as authority, and not with another authority', async () => {
    const ca = await readFile(join(home.state, 'tls-certificate.pem'), 'utf8');
    using known = new AgentClient({ url: agent.url, token, trust: { ca } });
    expect((await known.server({ signal })).locations).toEqual(['main']);
    await using other = await makeAgentHome();
    await using otherAgent = await startTestAgent(other);
    using wrong = new AgentClient({ url: otherAgent.url, token, trust: { ca } });
    await expect(wrong.server({ signal })).rejects.toMatchObject({ code: 'agent-unreachable' });
  });

  test('ends with a clear error where no agent is', async () => {
    using nobody = new AgentClient({ url: 'https://127.0.0.1:9', token, trust: { fingerprint: agent.fingerprint } });
    await expect(nobody.server({ signal })).rejects.toMatchObject({
      code: 'agent-unreachable',
      message: expect.stringContaining('https://127.0.0.1:9'),
      nextStep: expect.stringContaining('firewall'),
    });
    expect(() => new AgentClient({ url: 'http://127.0.0.1:9', token, trust: { ca: '' } })).toThrow(/https/);
  });

  test.each([
    ['a location with a path', { ...wish, location: '../../etc' }],
    ['a folder that leads up', { ...wish, folder: 'a/../../b' }],
    ['an absolute folder', { ...wish, folder: '/etc' }],
    ['an unknown field, such as arguments', { ...wish, args: ['--help'] }],
    ['no attempt', { ...wish, attempt: undefined }],
    ['an attempt of 0', { ...wish, attempt: 0 }],
    ['a name with a line end', { ...wish, name: 'a\nb' }],
    ['text where a number belongs', { ...wish, parallel: '4' }],
    ['a list', []],
  ])('refuses %s', async (_, body) => {
    const { status, body: answer } = await ask('PUT', `/v1/backups/${id}`, { token, body: JSON.stringify(body) });
    expect({ status, code: answer.error.code }).toEqual({ status: 400, code: 'invalid-request' });
    expect(answer.error.details.fields.length).toBeGreaterThan(0);
  });

  test.each([
    ['PUT', '/v1/backups/..%2F..%2Fetc', 400],
    ['PUT', '/v1/restores/.hidden', 400],
    ['PUT', `/v1/drills/${'a'.repeat(150)}`, 400],
    ['GET', `/v1/backups/${id}`, 404],
    ['DELETE', `/v1/backups/${id}`, 404],
    ['GET', `/v1/backups/${id}/log?from=-1`, 400],
    ['GET', '/v1/nothing', 404],
  ])('answers %s %s with %d', async (method, path, status) => {
    const body = method === 'PUT' ? JSON.stringify(wish) : undefined;
    expect((await ask(method, path, { token, ...(body === undefined ? {} : { body }) })).status).toBe(status);
  });

  test('refuses bodies that are no JSON or too large', async () => {
    expect((await ask('PUT', `/v1/backups/${id}`, { token, body: '{' })).status).toBe(400);
    expect((await ask('PUT', `/v1/backups/${id}`, { token, body: '{}', type: 'text/xml' })).status).toBe(415);
    const url = new URL(`/v1/backups/${id}`, agent.url);
    const json = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    // One that tells its length is refused by that alone.
    const announced = request(url, {
      method: 'PUT',
      headers: { ...json, 'content-length': 100 << 20 },
      rejectUnauthorized: false,
      agent: false,
    });
    announced.on('error', () => undefined);
    announced.write('{');
    const [refused] = await once(announced, 'response');
    expect(refused.statusCode).toBe(413);
    announced.destroy();
    // One that does not is cut off: its sender hears of it, or finds the connection closed.
    const before = process.memoryUsage().rss;
    const outcome = await ask('PUT', url.pathname, { token, body: Readable.from(parts(100)) }).then(
      ({ status, body }) => `${status} ${body.error.code}`,
      (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
    );
    expect(['413 request-too-large', 'ECONNRESET', 'EPIPE']).toContain(outcome);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
    expect((await ask('GET', '/healthz')).status).toBe(200);
  });

  test('ends connections that send their head, or nothing, too slowly', async () => {
    await using own = await makeAgentHome();
    await using strict = await startTestAgent(own, { requestLimitMs: 700 });
    const secret = (await readFile(join(own.state, 'token'), 'utf8')).trim();
    for (const sent of [
      'GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow:',
      `PUT /v1/backups/${id} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${secret}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{`,
    ]) {
      const { hostname, port } = new URL(strict.url);
      const socket: TLSSocket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
      socket.on('error', () => undefined);
      await once(socket, 'secureConnect');
      const start = performance.now();
      socket.write(sent);
      socket.resume();
      await once(socket, 'close');
      expect(performance.now() - start).toBeLessThan(9_500);
    }
  });

  test('goes to directories below the listed ones only, whatever links there are', async () => {
    const secret = join(home.directory, 'secret');
    await mkdir(secret);
    await symlink(secret, join(home.restores, 'link'));
    const restore = async (target: unknown) => {
      const body = JSON.stringify({ kind: 'restore', attempt: 1, backup: id, location: 'main', target });
      const { body: answer, status } = await ask('POST', '/v1/preflight', { token, body });
      return status === 200 ? answer.findings[0].code : answer.error.code;
    };
    for (const directory of [
      '/etc/new',
      home.restores,
      `${home.restores}/`,
      `${home.restores}/../secret/x`,
      join(home.restores, 'link'),
      join(home.restores, 'link', 'below'),
      `${home.restores}-beside`,
    ])
      expect([directory, await restore({ directory })]).toEqual([directory, 'restore-directory-not-allowed']);
    expect(await restore({ directory: 'relative' })).toBe('invalid-request');
    expect(await restore({ inPlace: true })).toBe('in-place-not-allowed');
    // What is allowed fails for another reason: there is no repository yet.
    expect(await restore({ directory: join(home.restores, 'good') })).toBe('not-a-repository');
    expect(await readdir(secret)).toEqual([]);
  });

  test('does not follow a link in a store, and makes no store where none is', async () => {
    const outside = join(home.directory, 'outside');
    await mkdir(outside);
    await symlink(outside, join(home.store, 'link'));
    const backup = async (fields: object) => {
      const body = JSON.stringify({ kind: 'backup', ...wish, ...fields });
      const { body: answer } = await ask('POST', '/v1/preflight', { token, body });
      return answer.findings.map(({ code }: { code: string }) => code);
    };
    expect(await backup({ folder: 'link' })).toContain('folder-outside');
    expect(await readdir(outside)).toEqual([]);
    for (const folder of ['good', 'good/below', undefined])
      expect(await backup({ folder })).toEqual(['no-database', 'repository']);
    // The store's own folder for what is being written stays.
    expect((await readdir(home.store)).filter((name) => name !== '.incoming')).toEqual(['link']);
    await mkdir(join(home.store, 'full'));
    await writeFile(join(home.store, 'full', 'theirs'), '');
    expect(await backup({ folder: 'full' })).toContain('folder-not-empty');
    expect(await backup({ location: 'constructor' })).toContain('unknown-location');
  });

  test('keeps its files to its own user, and its state directory to itself', async () => {
    for (const [name, mode] of [
      ['token', 0o600],
      ['tls-key.pem', 0o600],
      ['jobs', 0o700],
    ] as const)
      expect([name, (await stat(join(home.state, name))).mode & 0o777]).toEqual([name, mode]);
    expect((await readFile(join(home.state, 'fingerprint'), 'utf8')).trim()).toBe(agent.fingerprint);
    await expect(startTestAgent(home)).rejects.toMatchObject({ code: 'agent-already-runs' });
  });

  test('keeps its certificate and token over a restart', async () => {
    await using own = await makeAgentHome();
    const first = await startTestAgent(own);
    using before = await clientOf(own, first);
    await before.list({ signal });
    await first[Symbol.asyncDispose]();
    await using second = await startTestAgent(own);
    expect(second.fingerprint).toBe(first.fingerprint);
    using after = await clientOf(own, second);
    expect(await after.list({ signal })).toEqual([]);
  });

  test('is decided by a file that nobody else can write', async () => {
    await using own = await makeAgentHome();
    const file = join(own.directory, 'agent.json');
    await writeFile(file, JSON.stringify(own.config), { mode: 0o600 });
    expect((await loadAgentConfig(file)).stateDirectory).toBe(own.state);
    await chmod(file, 0o622);
    await expect(loadAgentConfig(file)).rejects.toMatchObject({ code: 'agent-config-unsafe' });
    await chmod(file, 0o600);
    await chmod(own.directory, 0o777);
    await expect(loadAgentConfig(file)).rejects.toMatchObject({ code: 'agent-config-unsafe' });
    await chmod(own.directory, 0o711);
    await writeFile(file, '{"listen": {"prot": 1}}');
    await expect(loadAgentConfig(file)).rejects.toMatchObject({ code: 'agent-config-invalid' });
    await expect(loadAgentConfig(join(own.directory, 'none'))).rejects.toMatchObject({ code: 'agent-config-missing' });
  });
});

function* parts(megabytes: number): Generator<Buffer> {
  for (let count = 0; count < megabytes; count++) yield Buffer.alloc(1 << 20, 'x');
}
