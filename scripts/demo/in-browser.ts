import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { type RestartableServer, startRestartable } from '../../tests/support/restartable-server.ts';
import { startVersitygw } from '../../tests/support/servers.ts';
import { startRole, startUp } from '../../tests/support/up.ts';
import { run } from '../setup/run.ts';

/** The manager with its web pages, two servers that it protects, and a bucket to store in. */
export interface InBrowser extends AsyncDisposable {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** @throws where the pages or the API do not answer as they should */
  check(): Promise<void>;
}

export interface InBrowserOptions {
  /** The server to protect. */
  readonly server: RestartableServer;
  /** Folder of the servers' programs. */
  readonly bin: string;
  /** For state, restores and secrets. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

const user = 'admin';

export async function startInBrowser(options: InBrowserOptions): Promise<InBrowser> {
  const { bin, folder, env } = options;
  await using stack = new AsyncDisposableStack();
  // A drill's server is another user, and passes through.
  await chmod(folder, 0o711);
  const copy = stack.use(await startRestartable({ bin }));
  const bucket = stack.use(await startVersitygw());
  await bucket.createBucket('backups');
  const { server } = options;
  const role = { command: ['./holdfast'], env } as const;
  const up = await startUp(stack, { ...role, server, bin, state: join(folder, 'up'), service: 'shop' });
  const { url, passwordFile = '' } = up;
  const password = (await readFile(passwordFile, 'utf8')).trim();
  const tokenFile = join(folder, 'manager-token');
  const token = [
    'token',
    'create',
    'demo',
    '--role',
    'admin',
    '--user',
    user,
    '--password-file',
    passwordFile,
    '--json',
  ];
  const ask = async (args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> =>
    run('./holdfast', args, { env: { ...env, ...more, HOLDFAST_URL: url, HOLDFAST_TOKEN_FILE: tokenFile } });
  await writeFile(tokenFile, `${z.object({ token: z.string() }).parse(JSON.parse(await ask(token))).token}\n`, {
    mode: 0o600,
  });
  await ask(['storage', 'add', 's3', '--bucket', 'backups', '--endpoint', bucket.endpoint, '--addressing', 'path'], {
    HOLDFAST_S3_ACCESS_KEY_ID: bucket.accessKey,
    HOLDFAST_S3_SECRET_ACCESS_KEY: bucket.secretKey,
  });
  await startSecondAgent(stack, { ...options, server: copy, ask });
  const owned = stack.move();
  return {
    url,
    user,
    password,
    check: async () => check(url, async (args) => ask(args)),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

/** One for the other server, that joins as those on other hosts do. */
async function startSecondAgent(
  stack: AsyncDisposableStack,
  options: InBrowserOptions & { readonly ask: (args: readonly string[]) => Promise<string> },
): Promise<void> {
  const { server, bin, folder, env, ask } = options;
  const state = join(folder, 'agent-of-copy');
  const restores = join(state, 'restores');
  await mkdir(restores, { recursive: true });
  const file = join(folder, 'agent-of-copy.json');
  const config = {
    listen: { port: 0 },
    stateDirectory: state,
    database: { socket: server.socket, user: 'root' },
    managedLocations: ['*'],
    restore: {
      directories: [restores],
      mayRestoreInPlace: true,
      control: { type: 'commands', stop: [server.stopCommand], start: [server.startCommand] },
    },
    drill: { serverProgram: join(bin, 'mariadbd') },
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  const joinToken = join(folder, 'join-token');
  const { token } = z.object({ token: z.string() }).parse(JSON.parse(await ask(['agent', 'token', '--json'])));
  await writeFile(joinToken, `${token}\n`, { mode: 0o600 });
  await ask(['agent', 'join', joinToken, '--name', 'shop-copy', '--config', file, '--dial-out']);
  await startRole(stack, ['agent', '--config', file, '--log-level', 'error', '--json'], {
    command: ['./holdfast'],
    env,
  });
}

async function check(url: string, ask: (args: readonly string[]) => Promise<string>): Promise<void> {
  const page = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!page.ok || !(await page.text()).includes('<script')) throw new Error(`The page at ${url} does not answer`);
  const services = await ask(['service', 'list', '--json']);
  if (!services.includes('"shop"')) throw new Error('The manager does not know the server');
}
