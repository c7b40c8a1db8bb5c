import { once } from 'node:events';
import { createServer } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Sql } from './sql.ts';

test('a server that listens and never greets is given up after ten seconds, however long queries may take', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-sql-'));
  const socket = join(folder, 's.sock');
  const silent = createServer((stream) => stream.resume()).listen(socket);
  await once(silent, 'listening');
  const { signal } = new AbortController();
  const options = { signal, timeoutMs: 3600_000 };
  await expect(Sql.connect({ socket, user: 'root' }, options)).rejects.toMatchObject({ code: 'database-unreachable' });
  silent.close();
  await rm(folder, { recursive: true });
}, 20_000);
