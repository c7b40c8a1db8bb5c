import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeAgentHome, startTestAgent, until } from '../support/agents.ts';
import { startFleet } from '../support/fleet.ts';

const signal = new AbortController().signal;
const options = { heartbeatMs: 200 };

describe('an agent that dials out', () => {
  test('outlives connections that are cut, and is asked again at once', async () => {
    await using fleet = await startFleet();
    await using wire = await startWire(new URL(fleet.url));
    await using home = await makeAgentHome();
    const { token } = await fleet.agents.joinTokens.create({ validSeconds: 60, ...fleet, url: wire.url });
    await fleet.join(home, { name: 'cut', token });
    await using _ = await startTestAgent(home, options);
    await fleet.reaches('cut', 'Connected');
    const calls = fleet.agents.launcher.agent('cut');
    for (let round = 0; round < 5; round += 1) {
      expect(await calls.list({ signal })).toEqual([]);
      wire.cut();
      await until(async () => (await calls.list({ signal }).catch(() => undefined)) !== undefined);
    }
    await fleet.reaches('cut', 'Connected');
  });

  test('serves many requests at the same time, and no more than its connections', async () => {
    await using fleet = await startFleet();
    await using wire = await startWire(new URL(fleet.url));
    await using home = await makeAgentHome();
    const { token } = await fleet.agents.joinTokens.create({ validSeconds: 60, ...fleet, url: wire.url });
    await fleet.join(home, { name: 'busy', token });
    await using _ = await startTestAgent(home, options);
    await fleet.reaches('busy', 'Connected');
    const calls = fleet.agents.launcher.agent('busy');
    const answers = await Promise.all(Array.from({ length: 100 }, async () => calls.list({ signal })));
    expect(answers).toHaveLength(100);
    // At most 16 for requests, and that of the heartbeats.
    expect(wire.open()).toBeLessThanOrEqual(17);
  });

  test('comes back to a manager that was started again', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hf-fleet-'));
    onTestFinished(async () => rm(directory, { recursive: true, force: true }));
    await using home = await makeAgentHome();
    await using agent = await startTestAgent(home, options);
    const first = await startFleet({ directory });
    await first.join(home, { name: 'stays' });
    await first.reaches('stays', 'Connected');
    // It ends although the agent keeps its connections open.
    const before = performance.now();
    await first[Symbol.asyncDispose]();
    expect(performance.now() - before).toBeLessThan(5_000);
    await using second = await startFleet({ directory, like: first });
    await until(
      async () =>
        (await second.agents.launcher
          .agent('stays')
          .list({ signal })
          .catch(() => undefined)) !== undefined,
    );
    await second.reaches('stays', 'Connected');
    expect(agent.url).toBeDefined();
  });
});

/** A wire to a server that can be cut. */
async function startWire(to: URL) {
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const onward = connect(Number(to.port), to.hostname);
    for (const each of [socket, onward]) {
      open.add(each);
      each.on('error', () => undefined);
      each.on('close', () => {
        open.delete(each);
        socket.destroy();
        onward.destroy();
      });
    }
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `https://127.0.0.1:${port}`,
    cut,
    open: () => open.size / 2,
    [Symbol.asyncDispose]: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
