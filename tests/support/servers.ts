import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureMariadb } from '../../scripts/setup/mariadb.ts';
import { run } from '../../scripts/setup/run.ts';
import { ensureVersitygw } from '../../scripts/setup/versitygw.ts';
import { freePort, startChild, waitUntil } from './child.ts';
import { serverUser, type ServerUser } from './server-user.ts';
import { newDataDirectory } from './data-directory.ts';

export interface DatabaseOptions {
  /** Folder of the server's programs. */
  readonly bin?: string;
  /** Started as it is and kept afterwards; without it the server gets a new one that goes when it stops. */
  readonly dataDirectory?: string;
  /** More arguments of the server, e.g. `--log-bin`; a later one overrules the ones below. */
  readonly options?: readonly string[];
}

/** A server on a socket and a loopback port. User `root` has no password. */
export interface DatabaseServer extends AsyncDisposable {
  readonly bin: string;
  readonly socket: string;
  readonly port: number;
  readonly dataDirectory: string;
  readonly pid: number;
  /** The operating system user that the server runs as. */
  readonly user: ServerUser;
  /** Rows of the last statement as text, by the vendor's own client as root; throws with the server's error. */
  query(sql: string): Promise<string[][]>;
  /** Ends it in order; the data directory stays until the server is disposed of. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** The last lines of its error log. */
  log(): string;
}

export type MariadbOptions = DatabaseOptions;
export type MariadbServer = DatabaseServer;

/** MariaDB 10.11 unless told. */
export async function startMariadb(options: MariadbOptions = {}): Promise<MariadbServer> {
  const bin = options.bin ?? (await ensureMariadb()).bin;
  return startDatabase({ ...options, bin }, { server: 'mariadbd', client: 'mariadb', options: mariadbOptions });
}

export async function startMysql(options: DatabaseOptions & { readonly bin: string }): Promise<DatabaseServer> {
  return startDatabase(options, { server: 'mysqld', client: 'mysql', options: mysqlOptions });
}

const mariadbOptions = ['--innodb-log-file-size=16M'];
/** What else it would do in directories of the system, or take time for. */
const mysqlOptions = [
  '--mysqlx=OFF',
  '--secure-file-priv=NULL',
  '--auto-generate-certs=OFF',
  '--innodb-redo-log-capacity=16M',
];

interface Programs {
  readonly server: string;
  readonly client: string;
  readonly options: readonly string[];
}

async function startDatabase(
  options: DatabaseOptions & { readonly bin: string },
  programs: Programs,
): Promise<DatabaseServer> {
  const { bin } = options;
  const user = serverUser();
  const folder = await mkdtemp(join(tmpdir(), 'hf-db-'));
  await user.own(folder);
  const dataDirectory = options.dataDirectory ?? (await newDataDirectory({ bin, into: join(folder, 'data'), user }));
  const socket = join(folder, 's.sock');
  const port = await freePort();
  // Not `--no-defaults`: MySQL then passes over the settings in its data directory, too.
  await writeFile(join(folder, 'my.cnf'), '');
  const child = startChild(join(bin, programs.server), [
    `--defaults-file=${join(folder, 'my.cnf')}`,
    ...user.arguments,
    `--datadir=${dataDirectory}`,
    `--socket=${socket}`,
    `--port=${port}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--tmpdir=${folder}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    '--performance-schema=OFF',
    '--innodb-buffer-pool-size=64M',
    '--innodb-flush-log-at-trx-commit=2',
    ...programs.options,
    ...(options.options ?? []),
  ]);
  const remove = async (): Promise<void> => {
    await child.end('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await waitUntil(() => greets(socket), { child, what: programs.server });
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    bin,
    socket,
    port,
    dataDirectory,
    pid: child.pid,
    user,
    query: (sql) => query(join(bin, programs.client), socket, sql),
    stop: () => child.end('SIGTERM'),
    kill: () => child.end('SIGKILL'),
    log: child.printed,
    [Symbol.asyncDispose]: remove,
  };
}

/** Does a server behind the socket send its greeting? */
export async function greets(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    const answer = (greeted: boolean): void => {
      connection.destroy();
      resolve(greeted);
    };
    connection.once('data', () => answer(true));
    connection.once('error', () => answer(false));
    connection.once('close', () => answer(false));
    connection.setTimeout(5_000, () => answer(false));
  });
}

async function query(client: string, socket: string, sql: string): Promise<string[][]> {
  const output = await run(client, [
    '--no-defaults',
    `--socket=${socket}`,
    '--user=root',
    // Whatever the locale says.
    '--default-character-set=utf8mb4',
    '--batch',
    '--skip-column-names',
    `--execute=${sql}`,
  ]);
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

/** A real S3-compatible server on a loopback port; its buckets are the directories in `dir`. */
export interface VersitygwServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
  readonly dir: string;
  readonly pid: number;
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startVersitygw(): Promise<VersitygwServer> {
  const program = await ensureVersitygw();
  const folder = await mkdtemp(join(tmpdir(), 'hf-s3-'));
  const dir = join(folder, 'buckets');
  await mkdir(dir);
  const port = await freePort();
  const [accessKey, secretKey, region] = ['test-access', 'test-secret-key', 'us-east-1'];
  const arguments_ = ['--port', `127.0.0.1:${port}`, '--region', region, '--health', '/healthz', '--quiet'];
  const env = { ...process.env, ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey };
  const child = startChild(program, [...arguments_, 'posix', dir], env);
  const endpoint = `http://127.0.0.1:${port}`;
  const remove = async (): Promise<void> => {
    await child.end('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await waitUntil(() => isHealthy(`${endpoint}/healthz`), { child, what: 'versitygw' });
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    endpoint,
    accessKey,
    secretKey,
    region,
    dir,
    pid: child.pid,
    createBucket: (name) => mkdir(join(dir, name)),
    stop: () => child.end('SIGTERM'),
    [Symbol.asyncDispose]: remove,
  };
}

async function isHealthy(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );
}
