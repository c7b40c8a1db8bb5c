import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { TunnelKeeper } from './tunnel-keeper.ts';

test('a connection that waits to be used stays open, whatever limit it was opened with', async () => {
  await using lab = await startLab((socket) => socket.setTimeout(50));
  await expect.poll(() => lab.opened).toHaveLength(1);
  await sleep(300);
  expect(lab.opened.map(({ destroyed }) => destroyed)).toEqual([false]);
});

test('there is one for the next request, also while others are busy', async () => {
  await using lab = await startLab();
  await expect.poll(() => lab.opened).toHaveLength(1);
  const [first] = lab.opened;
  if (first === undefined) throw new Error('there is none');
  for (let request = 0; request < 5; request += 1) lab.keeper.used(first);
  await expect.poll(() => lab.opened).toHaveLength(2);
  await sleep(100);
  expect(lab.opened).toHaveLength(2);
  for (const socket of lab.opened) socket.destroy();
  await expect.poll(() => lab.opened).toHaveLength(3);
});

/** A manager that takes connections, and a keeper that opens them. */
async function startLab(prepare: (socket: Socket) => void = () => undefined) {
  const held = new Set<Socket>();
  const manager = createServer((socket) => {
    held.add(socket);
    socket.on('error', () => undefined);
  });
  manager.listen(0, '127.0.0.1');
  await once(manager, 'listening');
  const address = manager.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const agent = createHttpServer({ headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 });
  const opened: Socket[] = [];
  const keeper = new TunnelKeeper({
    open: async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      prepare(socket);
      return socket;
    },
    serve: (socket) => {
      opened.push(socket);
      agent.emit('connection', socket);
    },
    clock: systemClock,
    onTrouble: () => undefined,
  });
  return {
    keeper,
    opened,
    [Symbol.asyncDispose]: async () => {
      await keeper[Symbol.asyncDispose]();
      for (const socket of held) socket.destroy();
      manager.close();
    },
  };
}
