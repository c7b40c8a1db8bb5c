import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestManager, type TestManager } from '../support/manager.ts';
import { startStandInControl } from '../support/stand-in-control.ts';
import { smallDisk } from '../support/tmpfs.ts';

const signal = new AbortController().signal;
const requestLimitMs = 3_000;
let started: TestManager;
let token: string;

beforeAll(async () => {
  started = await startTestManager({ startControl: startStandInControl, requestLimitMs });
  ({ token } = await started.admin.call('createToken', { body: { name: 'tests', role: 'admin' }, signal }));
});
afterAll(async () => started[Symbol.asyncDispose]());

/** What comes back for bytes as they are, until the server closes or half a minute is over. */
async function raw(write: (socket: Socket) => Promise<void> | void): Promise<string> {
  const { hostname, port } = new URL(started.manager.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await write(socket);
  await Promise.race([closed, sleep(30_000)]);
  expect(socket.closed).toBe(true);
  return answer;
}

function head(path: string, ...more: string[]): string {
  return [`POST ${path} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${token}`, ...more, '', ''].join('\r\n');
}

async function answers(): Promise<void> {
  const { status } = await fetch(new URL('/healthz', started.manager.url));
  expect(status).toBe(200);
}

test('100 MB are refused as soon as they are announced', async () => {
  const json = 'Content-Type: application/json';
  const answer = await raw((socket) => {
    socket.write(head('/api/v1/services', json, 'Content-Length: 104857600'));
  });
  expect(answer).toMatch(/^HTTP\/1.1 413 /);
  expect(answer).toContain('"code":"request-too-large"');
});

test('100 MB that come unannounced are refused at the first one, and kept nowhere', async () => {
  const before = process.memoryUsage().rss;
  let sent = 0;
  const body = Readable.from(
    (function* () {
      for (; sent < 100; sent += 1) yield Buffer.alloc(1024 * 1024, ' ');
    })(),
  );
  const request = fetch(new URL('/api/v1/services', started.manager.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: Readable.toWeb(body),
    duplex: 'half',
  } as RequestInit);
  const status = await request.then(
    (response) => response.status,
    () => 'cut',
  );
  expect([413, 'cut']).toContain(status);
  expect(sent).toBeLessThan(50);
  expect(process.memoryUsage().rss - before).toBeLessThan(80e6);
  await answers();
});

type Attack = (socket: Socket) => Promise<void> | void;
const tooLarge = /^(HTTP\/1.1 431 |$)/;
const malformed = /^HTTP\/1.1 400 /;
const attacks: [string, Attack, RegExp][] = [
  ['a header of a megabyte', sends(() => head('/healthz', `X-Long: ${'x'.repeat(1_000_000)}`)), tooLarge],
  ['endless headers', sendHeaders, tooLarge],
  [
    'two lengths, to smuggle a second request',
    sends(() => `${head('/healthz', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\nGET /`),
    malformed,
  ],
  [
    'two different lengths',
    sends(() => `${head('/healthz', 'Content-Length: 5', 'Content-Length: 6')}12345`),
    malformed,
  ],
  ['what is no HTTP', sends(() => '\u0016\u0003\u0001 hello\r\n\r\n'), malformed],
  ['a request to no host', sends(() => 'GET /healthz HTTP/1.1\r\n\r\n'), malformed],
];
test.each(attacks)('%s is refused, and the connection closed', async (...[, write, expected]) => {
  expect(await raw(write)).toMatch(expected);
  await answers();
});

function sends(text: () => string): Attack {
  return (socket) => {
    socket.write(text());
  };
}

async function sendHeaders(socket: Socket): Promise<void> {
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n');
  for (let count = 0; count < 5_000 && socket.writable; count += 1) {
    socket.write(`X-${count}: ${'x'.repeat(100)}\r\n`);
    if (count % 100 === 0) await sleep(1);
  }
}

test('a head or a body that comes too slowly is not waited for', async () => {
  const begun = performance.now();
  const drip = async (socket: Socket, text: string): Promise<void> => {
    for (const letter of text) {
      if (!socket.writable) return;
      socket.write(letter);
      await sleep(50);
    }
  };
  const [slowHead, slowBody] = await Promise.all([
    raw(async (socket) => drip(socket, head('/api/v1/services', 'Content-Length: 5'))),
    raw(async (socket) => {
      socket.write(head('/api/v1/services', 'Content-Type: application/json', 'Content-Length: 1000'));
      await drip(socket, '{'.padEnd(500));
    }),
  ]);
  for (const answer of [slowHead, slowBody]) expect(answer).toMatch(/^HTTP\/1.1 408 /);
  expect(performance.now() - begun).toBeLessThan(20_000);
});

test('two hundred connections that say nothing keep nobody from being answered', async () => {
  const { hostname, port } = new URL(started.manager.url);
  const sockets = Array.from({ length: 200 }, () => connect(Number(port), hostname).on('error', () => undefined));
  await Promise.all(sockets.map(async (socket) => once(socket, 'connect')));
  await answers();
  for (const socket of sockets) socket.destroy();
});

test('what another site makes a browser send is refused, whatever it shows', async () => {
  const send = async (headers: Record<string, string>) => {
    const all = { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers };
    const body = JSON.stringify({ validSeconds: 600 });
    const response = await raw((socket) => {
      const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
      const request = [
        'POST /api/v1/agents/join-tokens HTTP/1.1',
        ...lines,
        `content-length: ${body.length}`,
        'connection: close',
      ];
      socket.write(`${request.join('\r\n')}\r\n\r\n${body}`);
    });
    return response.slice(9, 12);
  };
  const host = new URL(started.manager.url).host;
  expect(await send({ host })).toBe('201');
  expect(await send({ host, origin: started.manager.url, 'sec-fetch-site': 'same-origin' })).toBe('201');
  expect(await send({ host, origin: 'https://evil.example' })).toBe('403');
  expect(await send({ host, 'sec-fetch-site': 'cross-site' })).toBe('403');
  expect(await send({ host: 'evil.example' })).toBe('421');
  expect(await send({ host, 'content-type': 'text/plain' })).toBe('415');
});

test('a page cannot be put into a frame or run scripts of others', async () => {
  for (const path of ['/', '/api/v1/manager', '/api/v1/nothing', '/api/v1/backups/%zz']) {
    const { headers } = await fetch(new URL(path, started.manager.url));
    expect(headers.get('content-security-policy')).toMatch(/script-src 'self';.*frame-ancestors 'none'/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  }
});

test('on a full disk reading goes on, writing says so, and nothing is lost', async ({ skip }) => {
  using disk = smallDisk('2m', skip);
  await using small = await startTestManager({ startControl: startStandInControl, stateDirectory: disk.path });
  const place = { type: 'directory', path: '/srv/backups' } as const;
  const create = async (number: number) => {
    const body = { name: `l${number}`, place, isEncrypted: false, description: 'x'.repeat(900) };
    return small.admin.call('createLocation', { body, signal });
  };
  await create(0);
  await writeFile(join(disk.path, 'filler'), Buffer.alloc(8 * 1024 * 1024)).catch(() => undefined);
  let made = 1;
  const failure = await (async () => {
    for (; made < 2_000; made += 1) await create(made);
    throw new Error('The disk never was full');
  })().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'catalog-full', nextStep: expect.stringContaining('Free some space') });
  const { total } = await small.admin.call('listLocations', { signal });
  expect(total).toBe(made);
  disk.resize('16m');
  await create(made);
  await small.restart();
  expect((await small.admin.call('listLocations', { signal })).total).toBe(made + 1);
});
