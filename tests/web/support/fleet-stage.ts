import { chmod } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { ensureMariadb } from '../../../scripts/setup/mariadb.ts';
import { completeConfig } from '../../../src/agent/config.ts';
import { joinManager } from '../../../src/agent/join.ts';
import type { Role } from '../../../src/api/route-kit.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { makeAgentHome, startTestAgent, until } from '../../support/agents.ts';
import { freePort } from '../../support/child.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { startTestManager, type TestManager } from '../../support/manager.ts';
import { type RestartableServer, startRestartable } from '../../support/restartable-server.ts';
import { startVersitygw } from '../../support/servers.ts';
import { startBrowser } from './browser.ts';

/** A manager with several agents, each beside a real server, whose store can be made to fail; and a browser. */
export interface FleetStage extends AsyncDisposable {
  readonly manager: TestManager;
  /** Between everyone and the bucket of the location `s3`. */
  readonly store: FaultProxy;
  readonly browser: Browser;
  token(role: Role): Promise<string>;
}

export interface Host {
  readonly name: string;
  readonly server: RestartableServer;
  readonly mayRestoreInPlace: boolean;
  /** Its agent is not told how the server is stopped and started. */
  readonly isByHand?: boolean;
  /** Folder of the programs of its server; MariaDB 10.11 unless told, whose tool is there in any case. */
  readonly bin?: string;
}

const signal = new AbortController().signal;
const passphrase = 'a passphrase for tests';

export async function openFleetStage(hosts: readonly Host[]): Promise<FleetStage> {
  await using stack = new AsyncDisposableStack();
  // The same address after a restart, as pages that are open know no other.
  const manager = stack.use(await startTestManager({ config: { listen: { port: await freePort() } } }));
  for (const host of hosts) await addHost(stack, manager, host);
  const bucket = stack.use(await startVersitygw());
  await bucket.createBucket('backups');
  const store = stack.use(await startFaultProxy(bucket.endpoint));
  const { endpoint } = store;
  await manager.admin.call('createLocation', {
    body: {
      name: 's3',
      place: { type: 's3', bucket: 'backups', endpoint, region: bucket.region, addressing: 'path' },
      secrets: { accessKeyId: bucket.accessKey, secretAccessKey: bucket.secretKey, passphrase },
      isEncrypted: true,
    },
    signal,
  });
  const browser = await startBrowser();
  stack.defer(async () => browser.close());
  const owned = stack.move();
  return {
    manager,
    store,
    browser,
    token: async (role) => {
      const { token } = await manager.admin.call('createToken', { body: { name: `a-${role}`, role }, signal });
      return token;
    },
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

/** A server with a database and an account for the agent, whose password can be changed. */
export async function startServer(rows: number, folder?: string): Promise<RestartableServer> {
  const bin = folder ?? (await ensureMariadb()).bin;
  const server = await startRestartable({ bin, more: ['--log-bin=binlog', '--server-id=1'] });
  await server.query(`
    CREATE USER agent@localhost;
    GRANT ALL ON *.* TO agent@localhost;
    CREATE DATABASE shop;
    CREATE TABLE shop.customers (id INT PRIMARY KEY, name VARCHAR(40), token BINARY(100)) ENGINE=InnoDB;
    INSERT INTO shop.customers
      SELECT seq, CONCAT('customer ', seq), CONCAT(UNHEX(SHA2(seq, 512)), UNHEX(SHA1(-seq))) FROM mysql.seq_1_to_${rows};`);
  return server;
}

async function addHost(stack: AsyncDisposableStack, manager: TestManager, host: Host): Promise<void> {
  const { name, server, mayRestoreInPlace, isByHand = false } = host;
  const usual = (await ensureMariadb()).bin;
  const bin = host.bin ?? usual;
  const control = { type: 'commands', stop: [server.stopCommand], start: [server.startCommand] };
  const config = {
    database: { socket: server.socket, user: 'agent' },
    toolPath: [bin, usual].join(delimiter),
    locations: {},
    managedLocations: ['*'],
    drill: { serverProgram: join(bin, 'mariadbd') },
  };
  const home = stack.use(await makeAgentHome({ config }));
  await chmod(home.directory, 0o711);
  Object.assign(home.config, {
    restore: {
      directories: [home.restores],
      mayRestoreInPlace,
      ...(isByHand ? {} : { control, controlLimitSeconds: 20 }),
    },
  });
  const { token } = await manager.admin.call('createJoinToken', { body: {}, signal });
  const options = { config: completeConfig(home.config, 'test'), version: '0.0.0-test', clock: systemClock, signal };
  await joinManager({ token, name }, options);
  stack.use(await startTestAgent(home, { heartbeatMs: 500 }));
  await until(async () => {
    const { items } = await manager.admin.call('listServices', { query: { search: name }, signal });
    return items.some(({ status }) => status.state === 'Online');
  });
}
