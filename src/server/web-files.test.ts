import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebFiles } from './web-files.ts';

const script = 'console.log("the page");';
let directory: string;
let server: FastifyInstance;
/** What the servers had to log. */
const troubles: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hf-web-'));
  const web = join(directory, 'web');
  await mkdir(join(web, 'assets'), { recursive: true });
  await writeFile(join(web, 'index.html'), '<!doctype html>');
  await writeFile(join(web, 'assets/app-1a2b.js'), script);
  await writeFile(join(web, 'assets/app-1a2b.js.br'), brotliCompressSync(script));
  await writeFile(join(directory, 'secret.txt'), 'secret');
  await symlink(join(directory, 'secret.txt'), join(web, 'link.txt'));
  server = await serving(web);
});
afterAll(async () => {
  await server.close();
  expect(troubles).toEqual([]);
  await rm(directory, { recursive: true });
});

async function serving(web: string | undefined): Promise<FastifyInstance> {
  const files = await WebFiles.read(web);
  const logged = { write: (line: string) => void troubles.push(line) };
  const made = fastify({ logger: { level: 'warn', stream: logged } });
  made.setNotFoundHandler(async (request, reply) =>
    (await files.answer(request, reply)) ? reply : reply.status(404).send('none of the web'),
  );
  return made;
}

describe('files of the web', () => {
  test('that went while the manager runs are not found, and those that were replaced are sent whole', async () => {
    const web = join(directory, 'changing');
    await mkdir(web);
    for (const name of ['index.html', 'logo.svg', 'logo.svg.br']) await writeFile(join(web, name), name);
    await using changing = await serving(web);
    for (const name of ['logo.svg', 'logo.svg.br']) await rm(join(web, name));
    await writeFile(join(web, 'index.html'), 'a longer page');
    for (const headers of [{}, { 'accept-encoding': 'br' }])
      expect((await changing.inject({ url: '/logo.svg', headers })).statusCode).toBe(404);
    const page = await changing.inject({ url: '/' });
    expect([page.statusCode, page.body]).toEqual([200, 'a longer page']);
    await rm(join(web, 'index.html'));
    expect((await changing.inject({ url: '/backups' })).statusCode).toBe(404);
  });

  test.each([
    ['/', 200, 'text/html; charset=utf-8', 'no-cache'],
    ['/index.html', 200, 'text/html; charset=utf-8', 'no-cache'],
    ['/backups/b1?tab=log', 200, 'text/html; charset=utf-8', 'no-cache'],
    ['/assets/app-1a2b.js', 200, 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/assets/gone-3c4d.js', 404, 'text/plain; charset=utf-8', undefined],
    ['/favicon.ico', 404, 'text/plain; charset=utf-8', undefined],
    ['/link.txt', 404, 'text/plain; charset=utf-8', undefined],
    ['/../secret.txt', 404, 'text/plain; charset=utf-8', undefined],
    ['/assets/..%2f..%2fsecret.txt', 404, 'text/plain; charset=utf-8', undefined],
  ])('%s', async (...[url, status, type, cache]) => {
    const { statusCode, headers, body } = await server.inject({ url });
    expect([statusCode, headers['content-type'], headers['cache-control']]).toEqual([status, type, cache]);
    expect(body).not.toContain('secret');
  });

  test.each([
    ['br, gzip', 'br'],
    ['gzip, br;q=0.5', 'br'],
    ['br;q=0', undefined],
    ['gzip', undefined],
    [undefined, undefined],
  ])('compressed for who takes %s: %s', async (accepted, expected) => {
    const headers = accepted === undefined ? {} : { 'accept-encoding': accepted };
    const answer = await server.inject({ url: '/assets/app-1a2b.js', headers });
    expect(answer.headers['content-encoding']).toBe(expected);
    const bytes = expected === undefined ? Buffer.from(script) : brotliCompressSync(script);
    expect(answer.rawPayload).toEqual(bytes);
    expect(answer.headers['content-length']).toBe(String(bytes.length));
  });

  test('what a browser has already is not sent again', async () => {
    const first = await server.inject({ url: '/' });
    const tag = String(first.headers.etag);
    const again = await server.inject({ url: '/', headers: { 'if-none-match': tag } });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  });

  test('where there is no build, nothing is answered', async () => {
    for (const web of [undefined, join(directory, 'none')]) {
      await using none = await serving(web);
      expect((await none.inject({ url: '/' })).statusCode).toBe(404);
    }
  });
});
