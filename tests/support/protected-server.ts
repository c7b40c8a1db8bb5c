import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureMariadb } from '../../scripts/setup/mariadb.ts';
import { type CliRun, holdfast } from './cli.ts';
import { type MariadbServer, startMariadb } from './servers.ts';

/** Secrets that must show nowhere. */
export const secrets = {
  password: 'hush-database-7',
  passphrase: 'hush-repository-7',
  /** Of a key file: a passphrase costs each run a third of a second. */
  key: 'hush-key-7, with its 32 bytes and more',
  wrong: 'hush-wrong-7',
} as const;

/** A server with a backup user, files with secrets, and the command line to protect it with. */
export interface ProtectedServer extends AsyncDisposable {
  readonly database: MariadbServer;
  /** For files of the test's own; others may look into it. */
  readonly folder: string;
  /** Arguments that name the server, its user and the file with the password. */
  readonly serverArguments: readonly string[];
  /** Path of a file with this secret. */
  secretFile(name: keyof typeof secrets): string;
  /** Arguments that name the repository in this directory, and the key file that opens it. */
  repositoryIn(directory: string): readonly string[];
  /** Makes a new encrypted repository in a directory of this name and @returns the arguments that name it. */
  newRepository(name: string): Promise<readonly string[]>;
  /** `holdfast backup` of the server. */
  backUp(repository: readonly string[], ...more: readonly string[]): Promise<CliRun>;
}

export async function startProtectedServer(): Promise<ProtectedServer> {
  const { bin } = await ensureMariadb();
  await using undo = new AsyncDisposableStack();
  const database = undo.use(await startMariadb({ bin, options: ['--log-bin=bin', '--server-id=1'] }));
  const folder = await mkdtemp(join(tmpdir(), 'hf-bad-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  for (const [name, secret] of Object.entries(secrets)) await writeFile(join(folder, name), secret, { mode: 0o600 });
  await database.query(`
    CREATE USER bk@localhost IDENTIFIED BY '${secrets.password}';
    GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO bk@localhost;
    CREATE DATABASE app; USE app; CREATE TABLE notes (id INT PRIMARY KEY, bytes BLOB);
    INSERT INTO notes SELECT seq, CONCAT(UNHEX(SHA1(seq)), UNHEX(SHA1(seq * 3))) FROM seq_1_to_40000`);
  const secretFile = (name: keyof typeof secrets): string => join(folder, name);
  const serverArguments = ['--socket', database.socket, '--user', 'bk', '--password-file', secretFile('password')];
  const repositoryIn = (directory: string): string[] => ['-r', directory, '--key-file', secretFile('key')];
  const state = ['--state-dir', join(folder, 'state')];
  const owned = undo.move();
  return {
    database,
    folder,
    serverArguments,
    secretFile,
    repositoryIn,
    newRepository: async (name) => {
      const repository = repositoryIn(join(folder, name));
      await mkdir(join(folder, name));
      const { code, stderr } = await holdfast(['repository', 'init', ...repository]);
      if (code !== 0) throw new Error(stderr);
      return repository;
    },
    backUp: async (repository, ...more) =>
      holdfast(['backup', '--retries', '0', ...state, ...repository, ...serverArguments, ...more]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** States of the backups that a repository's list shows, without its key. */
export async function listedStates(
  repository: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const { code, stdout, stderr } = await holdfast(['repository', 'list', '--json', ...repository], { env });
  if (code !== 0) throw new Error(stderr);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): { type?: string; state?: string } => JSON.parse(line))
    .flatMap(({ state }) => (state === undefined ? [] : [state]));
}
