import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManagerClient } from '../../src/api/manager-client.ts';
import { completeManagerConfig } from '../../src/manager/config.ts';
import { type Manager, type ManagerOptions, startManager } from '../../src/manager/main.ts';

/** A manager in this process, with a directory of its own. */
export interface TestManager extends AsyncDisposable {
  readonly manager: Manager;
  readonly directory: string;
  readonly password: string;
  /** Of someone who signed in as `admin`. */
  readonly admin: ManagerClient;
  /** A client that shows a token of that role. */
  clientAs(role: 'viewer' | 'operator' | 'admin'): Promise<ManagerClient>;
  /** Ends it and starts it again on what it kept. @param whileAway waited for in between */
  restart(whileAway?: () => Promise<void>): Promise<void>;
}

export interface TestManagerOptions extends Partial<ManagerOptions> {
  /** More of the manager's file. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Kept afterwards; default: a temporary one. */
  readonly stateDirectory?: string;
}

const signal = new AbortController().signal;

export async function startTestManager({
  config = {},
  stateDirectory,
  ...options
}: TestManagerOptions = {}): Promise<TestManager> {
  const directory = stateDirectory ?? (await mkdtemp(join(tmpdir(), 'hf-manager-')));
  const complete = completeManagerConfig({ listen: { port: 0 }, stateDirectory: directory, ...config }, 'test');
  const start = async (): Promise<Manager> =>
    startManager(complete, { version: '0.0.0-test', logLevel: 'silent', ...options });
  let manager = await start();
  const password = (await readFile(join(directory, 'initial-password'), 'utf8')).trim();
  let admin = await signedIn(manager, password);
  let tokens = 0;
  return {
    get manager() {
      return manager;
    },
    get admin() {
      return admin;
    },
    directory,
    password,
    clientAs: async (role) => {
      const { token } = await admin.call('createToken', { body: { name: `${role}-${++tokens}`, role }, signal });
      return new ManagerClient({ ...placeOf(manager), token });
    },
    restart: async (whileAway) => {
      admin[Symbol.dispose]();
      await manager[Symbol.asyncDispose]();
      await whileAway?.();
      manager = await start();
      admin = await signedIn(manager, password);
    },
    [Symbol.asyncDispose]: async () => {
      admin[Symbol.dispose]();
      await manager[Symbol.asyncDispose]();
      if (stateDirectory === undefined) await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function signedIn(manager: Manager, password: string): Promise<ManagerClient> {
  const client = new ManagerClient(placeOf(manager));
  await client.signIn({ name: 'admin', password, signal });
  return client;
}

function placeOf({ url, fingerprint }: Manager) {
  return { url, ...(fingerprint === undefined ? {} : { trust: { fingerprint } }) };
}
