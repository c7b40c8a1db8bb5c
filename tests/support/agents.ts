import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { completeConfig } from '../../src/agent/config.ts';
import { type Agent, type AgentOptions, startAgent } from '../../src/agent/main.ts';
import { AgentClient } from '../../src/api/client.ts';
import type { Job, JobKind } from '../../src/api/jobs.ts';
import { type Child, startChild, waitUntil } from './child.ts';
import { programOf } from './programs.ts';
import { neverAborted, nextBackupId } from './repositories.ts';
import type { MariadbServer } from './servers.ts';

/** An agent's surroundings: a directory of its own with a configuration that may grow. */
export interface AgentHome extends AsyncDisposable {
  readonly directory: string;
  /** Storage location `main` is here, encrypted. */
  readonly store: string;
  /** Where restores may go. */
  readonly restores: string;
  readonly state: string;
  readonly keyFile: string;
  /** What is in it. */
  readonly key: string;
  /** What the agent's file says. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface HomeOptions {
  /** Undefined: an agent without one. */
  readonly server?: MariadbServer;
  /** More of the agent's file. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export async function makeAgentHome({ server, config = {} }: HomeOptions = {}): Promise<AgentHome> {
  const directory = await mkdtemp(join(tmpdir(), 'hf-agent-'));
  // A drill's server is another user, and passes through.
  await chmod(directory, 0o711);
  const [store, restores, state] = [join(directory, 'store'), join(directory, 'restores'), join(directory, 'state')];
  for (const each of [store, restores]) await mkdir(each);
  // With a passphrase each job would take a third of a second more.
  const keyFile = join(directory, 'key');
  const key = 'a key for tests, with its 32 bytes and more';
  await writeFile(keyFile, key, { mode: 0o600 });
  const complete = {
    listen: { port: 0 },
    stateDirectory: state,
    database: server === undefined ? null : { socket: server.socket, user: 'root' },
    locations: { main: { location: store, encryption: { type: 'key-file', file: keyFile } } },
    restore: { directories: [restores] },
    ...(server === undefined ? {} : { toolPath: server.bin, drill: { serverProgram: join(server.bin, 'mariadbd') } }),
    ...config,
  };
  const remove = async (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 3 });
  return { directory, store, restores, state, keyFile, key, config: complete, [Symbol.asyncDispose]: remove };
}

/** An agent in this process. */
export async function startTestAgent(home: AgentHome, options: Partial<AgentOptions> = {}): Promise<Agent> {
  return startAgent(completeConfig(home.config, 'test'), { version: '0.0.0-test', logLevel: 'silent', ...options });
}

export async function clientOf(
  home: AgentHome,
  agent: { readonly url: string; readonly fingerprint: string },
  options: { token?: string; timeoutMs?: number } = {},
): Promise<AgentClient> {
  const token = (await readFile(join(home.state, 'token'), 'utf8')).trim();
  return new AgentClient({ url: agent.url, trust: { fingerprint: agent.fingerprint }, token, ...options });
}

/** An agent in a process of its own, to be killed. */
export interface AgentProcess extends AsyncDisposable {
  readonly url: string;
  readonly fingerprint: string;
  readonly child: Child;
}

export async function spawnAgent(home: AgentHome): Promise<AgentProcess> {
  const file = join(home.directory, 'agent.json');
  const ready = join(home.directory, 'ready');
  await rm(ready, { force: true });
  await writeFile(file, JSON.stringify(home.config), { mode: 0o600 });
  const { program, env } = programOf('agent');
  const child = startChild(process.execPath, [program, file, ready], env);
  await waitUntil(async () => (await readFile(ready, 'utf8').catch(() => '')).endsWith('\n'), {
    child,
    what: 'an agent',
  });
  const [url = '', fingerprint = ''] = (await readFile(ready, 'utf8')).trim().split(' ');
  return { url, fingerprint, child, [Symbol.asyncDispose]: async () => child.end('SIGKILL') };
}

/** The job once it has ended. */
export async function ending(client: AgentClient, kind: JobKind, id: string): Promise<Job> {
  let last: Job | undefined;
  for await (const job of client.watch(kind, id, { signal: neverAborted, pollMs: 50 })) last = job;
  if (last === undefined) throw new Error(`There is no ${kind} ${id}`);
  return last;
}

/** Has an agent of this home take a backup. @returns its id */
export async function backUpAt(home: AgentHome): Promise<string> {
  await using agent = await spawnAgent(home);
  using client = await clientOf(home, agent);
  const backup = nextBackupId();
  const body = { attempt: 1, name: 'n', service: 's', location: 'main' };
  await client.start('backup', backup, { body, signal: neverAborted });
  const { failure } = await ending(client, 'backup', backup);
  if (failure) throw new Error(`The backup failed: ${failure.message}`);
  return backup;
}

/** Waits at most 90 seconds. */
export async function until(isDone: () => Promise<boolean>, pollMs = 50): Promise<void> {
  const deadline = performance.now() + 90_000;
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new Error('What was waited for did not come');
    await sleep(pollMs);
  }
}
