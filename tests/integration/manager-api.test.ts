import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { managerRoutes, type ManagerRouteName } from '../../src/api/manager.ts';
import { ManagerClient } from '../../src/api/manager-client.ts';
import type { ManagerRoute } from '../../src/api/route-kit.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { ControlOptions } from '../../src/control/control.ts';
import { until } from '../support/agents.ts';
import { startTestManager, type TestManager } from '../support/manager.ts';
import { startStandInControl } from '../support/stand-in-control.ts';

const signal = new AbortController().signal;
const secretKey = 'a secret that never comes out';
let started: TestManager;
let catalog: Catalog;
let refuses = false;

beforeAll(async () => {
  started = await startTestManager({ startControl: standIn });
  await catalog.create('Agent', 'db1', {
    spec: { connection: { type: 'dials' }, description: '' },
    status: {
      state: 'Unknown',
      engines: [],
      restoreDirectories: [],
      mayRestoreInPlace: false,
      locations: [],
      managedLocations: [],
    },
  });
});
afterAll(async () => started[Symbol.asyncDispose]());

async function standIn(options: ControlOptions) {
  ({ catalog } = options);
  const control = await startStandInControl(options);
  const refusal = {
    isGo: false,
    findings: [{ level: 'error' as const, code: 'access-denied', message: 'Cannot delete', nextStep: 'Allow it.' }],
  };
  return {
    ...control,
    testLocation: async (...given: Parameters<typeof control.testLocation>) =>
      refuses ? refusal : control.testLocation(...given),
  };
}

const place = { type: 's3', bucket: 'backups', endpoint: 'http://127.0.0.1:9' } as const;
const location = { name: 'main', place, isEncrypted: true } as const;
const secrets = { accessKeyId: 'key', secretAccessKey: secretKey, passphrase: `${secretKey} either` };

async function text(path: string, init: RequestInit = {}): Promise<{ status: number; body: string; headers: Headers }> {
  const response = await fetch(new URL(path, started.manager.url), init);
  return { status: response.status, body: await response.text(), headers: response.headers };
}

test('every route wants the role that the table says, and nothing less gets in', async () => {
  const roles = ['nobody', 'viewer', 'operator', 'admin'] as const;
  const tokens: Record<string, string> = {};
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    const body = { name: `role-${role}`, role };
    tokens[role] = (await started.admin.call('createToken', { body, signal })).token;
  }
  const wrong: string[] = [];
  for (const [name, route] of Object.entries<ManagerRoute>(managerRoutes)) {
    const path = `/api/v1${route.path.replaceAll(':name', 'no-such-thing')}?confirm=no-such-thing`;
    for (const [rank, role] of roles.entries()) {
      const authorization = rank === 0 ? {} : { authorization: `Bearer ${tokens[role]}` };
      const { status, body } = await text(path, { method: route.method, headers: authorization });
      const isIn = status !== 401 && status !== 403;
      const mayCome = rank >= { anyone: 0, viewer: 1, operator: 2, admin: 3 }[route.role];
      if (isIn !== mayCome || status >= 500) wrong.push(`${name} as ${role}: ${status} ${body}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('a route that no handler answers would be found: each of the table is mounted', async () => {
  const token = (await started.admin.call('createToken', { body: { name: 'mounted', role: 'admin' }, signal })).token;
  for (const route of Object.values<ManagerRoute>(managerRoutes)) {
    const path = `/api/v1${route.path.replaceAll(':name', 'no-such-thing')}`;
    const { body } = await text(path, { method: route.method, headers: { authorization: `Bearer ${token}` } });
    expect(body).not.toContain('no-such-route');
  }
});

describe('storage locations', () => {
  test('are stored after their test; their secrets are used and never told', async () => {
    refuses = true;
    const body = { ...location, secrets };
    await expect(started.admin.call('createLocation', { body, signal })).rejects.toMatchObject({
      code: 'location-test-failed',
      nextStep: 'Allow it.',
    });
    await expect(started.admin.call('getLocation', { params: { name: 'main' }, signal })).rejects.toMatchObject({
      code: 'no-such-location',
    });
    refuses = false;
    const made = await started.admin.call('createLocation', { body, signal });
    expect(made.status).toMatchObject({ state: 'Working', secrets: ['accessKeyId', 'passphrase', 'secretAccessKey'] });
    await expect(started.admin.call('createLocation', { body, signal })).rejects.toMatchObject({ code: 'name-taken' });
    const shown = await started.admin.call('updateLocation', {
      params: { name: 'main' },
      body: { secrets: { sessionToken: 'session' } },
      signal,
    });
    expect(shown.status.secrets).toEqual(['accessKeyId', 'passphrase', 'secretAccessKey', 'sessionToken']);
    expect(JSON.stringify([made, shown, await catalog.get('StorageLocation', 'main')])).not.toContain(secretKey);
    for (const file of ['catalog.sqlite', 'catalog.sqlite-wal'])
      expect(await readFile(join(started.directory, file), 'latin1')).not.toContain(secretKey);
  });

  test('an encrypted one wants its passphrase', async () => {
    const body = { ...location, name: 'other', secrets: { accessKeyId: 'key', secretAccessKey: 'key' } };
    await expect(started.admin.call('createLocation', { body, signal })).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('secrets.passphrase'),
    });
  });

  test('a description can be changed while the store is away, and nothing else changes with it', async () => {
    const before = await started.admin.call('getLocation', { params: { name: 'main' }, signal });
    refuses = true;
    const params = { name: 'main' };
    const changed = await started.admin.call('updateLocation', { params, body: { description: 'of shops' }, signal });
    await expect(
      started.admin.call('updateLocation', { params, body: { place: { ...place, bucket: 'another' } }, signal }),
    ).rejects.toMatchObject({ code: 'location-test-failed' });
    refuses = false;
    expect({ ...changed, version: before.version }).toEqual({
      ...before,
      spec: { ...before.spec, description: 'of shops' },
    });
  });
});

describe('what is in use is kept', () => {
  test('an agent, a service and a storage location go in the order in which they depend on each other', async () => {
    const call = started.admin.call.bind(started.admin);
    await expect(call('createService', { body: { name: 'shop', agent: 'nobody' }, signal })).rejects.toMatchObject({
      code: 'no-such-agent',
    });
    await call('createService', { body: { name: 'shop', agent: 'db1', clusterLabel: 'eu/shop' }, signal });
    await expect(call('createService', { body: { name: 'wiki', agent: 'db1' }, signal })).rejects.toMatchObject({
      code: 'agent-taken',
    });
    const retry = { mode: 'manual' } as const;
    await call('createBackup', { body: { name: 'b1', service: 'shop', location: 'main', retry }, signal });
    await until(async () => (await call('listBackups', { query: { search: 'b1' }, signal })).total === 1);
    for (const [route, name] of [
      ['removeAgent', 'db1'],
      ['removeService', 'shop'],
      ['removeLocation', 'main'],
    ] as const)
      await expect(call(route, { params: { name }, signal })).rejects.toMatchObject({ code: 'in-use' });
    await expect(
      call('updateLocation', { params: { name: 'main' }, body: { isEncrypted: false }, signal }),
    ).rejects.toMatchObject({ code: 'in-use' });
  });

  test('a service is changed field by field', async () => {
    const params = { name: 'shop' };
    const described = await started.admin.call('updateService', { params, body: { description: 'the shop' }, signal });
    expect(described.spec).toEqual({ agent: 'db1', clusterLabel: 'eu/shop', description: 'the shop' });
    const unlabelled = await started.admin.call('updateService', { params, body: { clusterLabel: null }, signal });
    expect(unlabelled.spec).toEqual({ agent: 'db1', description: 'the shop' });
  });

  test('a backup is deleted only by its name', async () => {
    const params = { name: 'b1' };
    await expect(
      started.admin.call('deleteBackup', { params, query: { confirm: 'b2' }, signal }),
    ).rejects.toMatchObject({ code: 'invalid-request' });
    const deleted = await started.admin.call('deleteBackup', { params, query: { confirm: 'b1' }, signal });
    expect(deleted.spec.isDeleted).toBe(true);
  });
});

test('errors have one shape, whoever found them', async () => {
  const token = (await started.admin.call('createToken', { body: { name: 'shapes', role: 'admin' }, signal })).token;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const cases: [string, RequestInit, number, string][] = [
    ['/api/v1/backups?pageSize=0', {}, 400, 'invalid-request'],
    ['/api/v1/backups?sort=secret', {}, 400, 'invalid-request'],
    ['/api/v1/backups/none', {}, 404, 'no-such-backup'],
    ['/api/v1/backups/none/log', {}, 404, 'no-such-backup'],
    ['/api/v1/backups/b1/log', {}, 400, 'no-log'],
    ['/api/v1/backups/%zz', {}, 400, 'invalid-request'],
    [`/api/v1/backups/${'x'.repeat(200)}`, {}, 400, 'invalid-request'],
    [`/api/v1/backups/${'x'.repeat(2_000)}`, {}, 414, 'invalid-request'],
    ['/api/v1/nothing', {}, 404, 'no-such-route'],
    ['/api/v2/backups', {}, 404, 'no-such-route'],
    ['/api/v1/services', { method: 'POST', body: '{' }, 400, 'invalid-request'],
    ['/api/v1/services', { method: 'POST', body: '{"__proto__": {}}' }, 400, 'invalid-request'],
    ['/api/v1/services', { method: 'POST', body: '{"name":"a","agent":"db1","more":1}' }, 400, 'invalid-request'],
    ['/api/v1/services', { method: 'PUT', body: '{}' }, 404, 'no-such-route'],
  ];
  for (const [path, init, status, code] of cases) {
    const answer = await text(path, { headers, ...init });
    expect([path, answer.status, JSON.parse(answer.body).error.code]).toEqual([path, status, code]);
  }
  const xml = await text('/api/v1/services', {
    method: 'POST',
    body: '<a/>',
    headers: { ...headers, 'content-type': 'text/plain' },
  });
  expect([xml.status, JSON.parse(xml.body).error.code]).toEqual([415, 'invalid-request']);
});

test('the document that it serves tells of every route', async () => {
  const { paths, info } = JSON.parse((await text('/api/v1/openapi.json')).body);
  expect(info.version).toBe('0.0.0-test');
  for (const { path, method } of Object.values<ManagerRoute>(managerRoutes))
    expect(Object.keys(paths[`/api/v1${path.replace(':name', '{name}')}`])).toContain(method.toLowerCase());
});

describe('events', () => {
  test('tell of changes once lists show them, and end with the session', async () => {
    using client = new ManagerClient({ url: started.manager.url });
    await client.signIn({ name: 'admin', password: started.password, signal });
    const cookie = await cookieOf(started);
    const response = await fetch(new URL('/api/v1/events', started.manager.url), { headers: { cookie } });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = eventsOf(response);
    await started.admin.call('createToken', { body: { name: 'no-event', role: 'viewer' }, signal });
    await started.admin.call('updateService', { params: { name: 'shop' }, body: { description: 'changed' }, signal });
    const event = await reader.next();
    expect(event).toMatchObject({ type: 'change', kind: 'Service', name: 'shop', version: expect.any(Number) });
    const { items } = await started.admin.call('listServices', { signal });
    expect(items[0]?.spec.description).toBe('changed');
    await text('/api/v1/session', { method: 'DELETE', headers: { cookie } });
    await started.admin.call('updateService', { params: { name: 'shop' }, body: { description: 'again' }, signal });
    expect(await reader.next()).toBeUndefined();
  });

  test('a browser that comes back is told to read all again', async () => {
    const headers = { cookie: await cookieOf(started), 'last-event-id': '0' };
    const response = await fetch(new URL('/api/v1/events', started.manager.url), { headers });
    const reader = eventsOf(response);
    expect(await reader.next()).toEqual({ type: 'resync' });
    await reader.cancel();
  });
});

test('where others can reach it, it speaks TLS alone, and its cookie is for TLS alone', async () => {
  const config = { listen: { address: '0.0.0.0', port: 0 } };
  await using open = await startTestManager({ startControl: startStandInControl, config });
  const { fingerprint, url } = open.manager;
  expect([url.startsWith('https://'), fingerprint]).toEqual([true, expect.stringMatching(/^([0-9A-F]{2}:){31}/)]);
  expect((await open.admin.call('getSession', { signal })).name).toBe('admin');
  const [kept, { port }] = [await readFile(join(open.directory, 'fingerprint'), 'utf8'), new URL(url)];
  expect(kept.trim()).toBe(fingerprint);
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  await open.restart();
  expect(open.manager.fingerprint).toBe(fingerprint);
});

test('what was wanted and who may come is still there after a restart', async () => {
  const viewer = await started.clientAs('viewer');
  await expect(viewer.call('getService', { params: { name: 'shop' }, signal })).resolves.toBeDefined();
  const names: ManagerRouteName[] = ['listAgents', 'listServices', 'listLocations', 'listBackups'];
  const before = await Promise.all(names.map(async (name) => started.admin.call(name, { signal } as never)));
  viewer[Symbol.dispose]();
  await started.restart();
  const after = await Promise.all(names.map(async (name) => started.admin.call(name, { signal } as never)));
  expect(after).toEqual(before);
});

async function cookieOf({ manager, password }: TestManager): Promise<string> {
  const body = JSON.stringify({ name: 'admin', password });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(new URL('/api/v1/session', manager.url), { method: 'POST', headers, body });
  const cookie = response.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
  return cookie.split(';')[0] ?? '';
}

function eventsOf(response: Response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = '';
  return {
    /** Undefined when there will be none. */
    next: async (): Promise<unknown> => {
      for (;;) {
        const match = /^data: (.*)$/m.exec(waiting);
        if (match !== null) {
          waiting = waiting.slice(match.index + match[0].length);
          return JSON.parse(match[1] ?? '');
        }
        const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
        if (done) return undefined;
        waiting += value;
      }
    },
    cancel: async () => reader?.cancel(),
  };
}
