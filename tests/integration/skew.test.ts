import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ManagerClient } from '../../src/api/manager-client.ts';
import { makeAgentHome, until } from '../support/agents.ts';
import { type Child, startChild, waitUntil } from '../support/child.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';

const run = promisify(execFile);
const signal = new AbortController().signal;
const here = resolve('.');

interface Release {
  /** What git knows it by. */
  readonly commit: string;
  readonly version: string;
}

/** The newest release before this one, by the changelog's heading `## 0.1.0 (commit)`, or why there is none. */
async function previousRelease(): Promise<Release | { why: string }> {
  const changelog = await readFile(join(here, 'CHANGELOG.md'), 'utf8');
  const [, version, commit] = /^## (\d+\.\d+\.\d+) \((\w{7,})\)$/m.exec(changelog) ?? [];
  if (version === undefined || commit === undefined) return { why: 'the changelog names no release yet' };
  try {
    await run('git', ['cat-file', '-e', `${commit}:src/manager/main.ts`], { cwd: here });
    return { version, commit };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n').at(-1) : 'unknown';
    return { why: `this clone does not have release ${version}, commit ${commit}: ${why}` };
  }
}

const previous = await previousRelease();

/** Agent and manager of two releases, each in a process of its own, as people run them. */
describe('an agent and a manager', () => {
  const stack = new AsyncDisposableStack();
  let server: MariadbServer;
  let root: string;

  beforeAll(async () => {
    server = stack.use(await startMariadb());
    await server.query('CREATE DATABASE app; USE app; CREATE TABLE t SELECT seq AS id FROM seq_1_to_5000');
    root = await mkdtemp(join(tmpdir(), 'hf-skew-'));
    stack.defer(async () => rm(root, { recursive: true, force: true }));
  });

  afterAll(() => stack.disposeAsync());

  /** The sources of a release, with the modules of this one. */
  const unpacked = async ({ version, commit }: Release): Promise<string> => {
    const directory = join(root, version);
    await mkdir(directory, { recursive: true });
    const archive = `${directory}.tar`;
    await run('git', ['archive', '--output', archive, commit, 'src', 'package.json'], { cwd: here });
    await run('tar', ['-xf', archive, '-C', directory]);
    await symlink(join(here, 'node_modules'), join(directory, 'node_modules'));
    return directory;
  };

  test('of the same release work together as programs', { timeout: 120_000 }, async () => worksTogether(here, here));

  test('of this release and of the one before, either way', { timeout: 300_000 }, async ({ skip }) => {
    if ('why' in previous) return skip(previous.why);
    const before = await unpacked(previous);
    await worksTogether(before, here);
    await worksTogether(here, before);
    return undefined;
  });

  const worksTogether = async (manager: string, agent: string): Promise<void> => {
    await using home = await makeAgentHome({ server });
    const [store, state] = [join(home.directory, 'fleet'), join(home.directory, 'manager')];
    await mkdir(store);
    const [managerFile, agentFile] = [join(home.directory, 'manager.json'), join(home.directory, 'agent.json')];
    await writeFile(managerFile, JSON.stringify({ listen: { port: 0 }, stateDirectory: state }), { mode: 0o600 });
    const config = { ...home.config, managedLocations: [store] };
    await writeFile(agentFile, JSON.stringify(config), { mode: 0o600 });
    await using managing = start(manager, ['manager', '--config', managerFile, '--log-level', 'silent']);
    using admin = new ManagerClient({ url: await urlOf(managing.child) });
    const password = (await readFile(join(state, 'initial-password'), 'utf8')).trim();
    await admin.signIn({ name: 'admin', password, signal });
    const { token } = await admin.call('createJoinToken', { body: {}, signal });
    const tokenFile = join(home.directory, 'join');
    await writeFile(tokenFile, token, { mode: 0o600 });
    const program = join(agent, 'src', 'cli.ts');
    await run(process.execPath, [program, 'agent', 'join', '--name', 'db1', '--config', agentFile, tokenFile]);
    await using _ = start(agent, ['agent', '--config', agentFile, '--log-level', 'silent']);
    await until(
      async () => (await admin.call('getAgent', { params: { name: 'db1' }, signal })).status.state === 'Connected',
    );
    await backUpAndProve(admin, store);
  };
});

/** The old one may not know what the new one could ask for: what is here has been there from the start. */
async function backUpAndProve(admin: ManagerClient, store: string): Promise<void> {
  const place = { type: 'directory' as const, path: store };
  const secrets = { passphrase: 'a passphrase of the fleet' };
  await admin.call('createLocation', { body: { name: 'store', place, isEncrypted: true, secrets }, signal });
  const retry = { mode: 'manual' as const };
  await admin.call('createBackup', { body: { name: 'first', service: 'db1', location: 'store', retry }, signal });
  await until(async () => {
    const { status } = await admin.call('getBackup', { params: { name: 'first' }, signal });
    expect(status.failure).toBeUndefined();
    return status.state === 'Succeeded';
  });
  await admin.call('createDrill', { body: { name: 'proof', backup: 'first', agent: 'db1' }, signal });
  await until(async () => {
    const { status } = await admin.call('getDrill', { params: { name: 'proof' }, signal });
    expect(status.failure).toBeUndefined();
    return status.state === 'Succeeded';
  });
}

function start(release: string, args: readonly string[]): AsyncDisposable & { readonly child: Child } {
  const child = startChild(process.execPath, [join(release, 'src', 'cli.ts'), '--json', ...args]);
  return { child, [Symbol.asyncDispose]: async () => child.end('SIGTERM') };
}

/** As the program tells it when it is ready. */
async function urlOf(child: Child): Promise<string> {
  let url: string | undefined;
  const find = async (): Promise<boolean> => {
    url = /"type":"ready","url":"([^"]+)"/.exec(child.printed())?.[1];
    return url !== undefined;
  };
  await waitUntil(find, { child, what: 'a manager' });
  return url ?? '';
}
