import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completeConfig } from '../../src/agent/config.ts';
import { joinManager } from '../../src/agent/join.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type AgentHome, makeAgentHome, startTestAgent, until } from '../support/agents.ts';
import { startTestManager, type TestManager } from '../support/manager.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';

const signal = new AbortController().signal;
const options = { heartbeatMs: 500 };

/** A host that has no database server, only the programs: the manager drills and restores there. */
describe('a drill host of a manager', () => {
  const stack = new AsyncDisposableStack();
  let server: MariadbServer;
  let manager: TestManager;
  let beside: AgentHome;
  let host: AgentHome;

  beforeAll(async () => {
    server = stack.use(await startMariadb());
    await server.query('CREATE DATABASE app; USE app; CREATE TABLE t SELECT seq AS id FROM seq_1_to_5000');
    manager = stack.use(await startTestManager());
    beside = stack.use(await makeAgentHome({ server }));
    const store = join(beside.directory, 'fleet');
    await mkdir(store);
    Object.assign(beside.config, { managedLocations: [store] });
    const drill = { serverProgram: join(server.bin, 'mariadbd') };
    host = stack.use(await makeAgentHome({ config: { managedLocations: ['*'], toolPath: server.bin, drill } }));
    const agent = stack.use(await startTestAgent(beside, options));
    stack.use(await startTestAgent(host, options));
    await letJoin(beside, 'db1', agent.url);
    await letJoin(host, 'proving-ground');
    for (const name of ['db1', 'proving-ground']) await until(async () => (await stateOf(name)) === 'Connected');
    const body = {
      name: 'store',
      place: { type: 'directory' as const, path: store },
      isEncrypted: true,
      secrets: { passphrase: 'a passphrase of the fleet' },
    };
    await manager.admin.call('createLocation', { body, signal });
  });

  afterAll(() => stack.disposeAsync());

  const letJoin = async (home: AgentHome, name: string, listenUrl?: string): Promise<void> => {
    const { token } = await manager.manager.makeJoinToken({ validSeconds: 60 });
    const config = completeConfig(home.config, 'test');
    await joinManager({ token, name, listenUrl }, { config, version: '0.0.0-test', clock: systemClock, signal });
  };
  const stateOf = async (name: string): Promise<string> =>
    (await manager.admin.call('getAgent', { params: { name }, signal })).status.state;

  test('came without a service, and is chosen for a drill before any database host', async () => {
    const { items } = await manager.admin.call('listServices', { query: {}, signal });
    expect(items.map(({ name }) => name)).toEqual(['db1']);
    const retry = { mode: 'manual' as const };
    await manager.admin.call('createBackup', {
      body: { name: 'first', service: 'db1', location: 'store', retry },
      signal,
    });
    await until(async () => {
      const { status } = await manager.admin.call('getBackup', { params: { name: 'first' }, signal });
      expect(status.failure).toBeUndefined();
      return status.state === 'Succeeded';
    });
    const made = await manager.admin.call('createDrill', { body: { name: 'proof', backup: 'first' }, signal });
    expect(made.spec.agent).toBe('proving-ground');
    await until(async () => {
      const { status } = await manager.admin.call('getDrill', { params: { name: 'proof' }, signal });
      expect(status.failure).toBeUndefined();
      return status.state === 'Succeeded';
    });
    const { status } = await manager.admin.call('getBackup', { params: { name: 'first' }, signal });
    expect(status.proof).toMatchObject({ level: 'proven' });
  });

  test('takes a restore into a directory', async () => {
    const target = { directory: join(host.restores, 'copy') };
    const wish = { backup: 'first', agent: 'proving-ground', target, identity: 'new', replication: 'stopped' } as const;
    await manager.admin.call('createRestore', { body: { name: 'copy', ...wish }, signal });
    await until(async () => {
      const { status } = await manager.admin.call('getRestore', { params: { name: 'copy' }, signal });
      expect(status.failure).toBeUndefined();
      return status.state === 'Succeeded';
    });
    expect(await readdir(target.directory)).toContain('app');
  });
});
