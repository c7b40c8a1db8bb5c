import { randomInt } from 'node:crypto';
import { chown, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Vendor } from '../engine/engine.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { Failure, InvalidRequest } from '../lib/failure.ts';
import { makeOwnedDirectory } from '../lib/owned-directory.ts';
import { type Ending, Tool } from '../lib/process.ts';
import { isMissing, statIfThere } from './placement-files.ts';
import { scratchConfig, scratchFiles } from './scratch-config.ts';
import { serverEnded, serverSilent } from './scratch-server-end.ts';

export type SqlRow = Readonly<Record<string, string | null>>;

/** A connection to a server; `Sql` of src/engine/sql.ts is one. */
export interface SqlConnection extends AsyncDisposable {
  query(sql: string): Promise<readonly SqlRow[]>;
}

export interface ScratchServerOptions {
  /** Path of the vendor's server program, `mariadbd` or `mysqld`. */
  readonly program: string;
  readonly vendor: Vendor;
  /** Prepared. The server runs as its owner and changes it: never the only copy of anything. */
  readonly dataDirectory: string;
  /** Global variables of the server that was backed up, as recorded with the backup. */
  readonly variables: Readonly<Record<string, string>>;
  /** Logs in as any user without a password. */
  readonly connect: (socket: string, options: { signal: AbortSignal }) => Promise<SqlConnection>;
  readonly signal: AbortSignal;
  /** Default 128 MiB. */
  readonly bufferPoolBytes?: number;
  /** Until it answers. Default 120,000. */
  readonly startLimitMs?: number;
  /** Holds the private directory: short, as the path of a socket is at most 107 bytes. Default `/tmp`. */
  readonly parentDirectory?: string;
  /** Where its sorts and temporary tables go. Default: the private directory. */
  readonly temporaryDirectory?: string;
  readonly hostOptions?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

/** A server of its own on restored data, cut off from everything but its socket in a private directory. */
export interface ScratchServer extends AsyncDisposable {
  readonly pid: number;
  readonly socket: string;
  readonly serverId: number;
  query(sql: string): Promise<readonly SqlRow[]>;
  /** Stops it, as disposing does. The data directory stays. */
  stop(): Promise<void>;
}

const defaultStartLimitMs = 120_000;
const pollMs = 100;
/** From the wish that it stops to SIGKILL. A server that is still starting does not hear the wish. */
const graceMs = 3_000;
const socketPathLimit = 107;
/** With what it said before it dumped the stack of a crash. */
const keptLogBytes = 64 * 1024;

/**
 * Starts a server on a prepared directory for a drill and returns when it answers.
 * @throws Failure with the last lines of its error log: `scratch-server-ended`, `scratch-server-silent`; what this host is to
 * blame for: `scratch-server-killed`, `scratch-server-refused`, `target-full`, `tool-missing`, `tool-not-started`
 */
export async function startScratchServer(options: ScratchServerOptions): Promise<ScratchServer> {
  options.signal.throwIfAborted();
  await using undo = new AsyncDisposableStack();
  const owner = await ownerOf(options.dataDirectory);
  const folder = await makePrivateDirectory(options.parentDirectory ?? '/tmp', owner);
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  const serverId = otherServerId(options.variables['server_id']);
  await writeConfig(folder, { options, owner, serverId });
  const tool = undo.use(spawnServer(folder, options));
  const ended = drain(tool);
  const socket = join(folder, scratchFiles.socket);
  const connection = undo.use(await untilItAnswers(socket, { ended, folder, options }));
  const { pid } = tool;
  if (pid === undefined)
    throw new Failure('tool-not-started', `Cannot use ${options.program} as the system gave it no process id`);
  const owned = undo.move();
  const stop = (): Promise<void> => owned.disposeAsync();
  return { pid, socket, serverId, query: (sql) => connection.query(sql), stop, [Symbol.asyncDispose]: stop };
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

async function ownerOf(dataDirectory: string): Promise<Owner> {
  const stat = await statIfThere(dataDirectory);
  if (stat?.isDirectory() !== true)
    throw new InvalidRequest(
      'scratch-no-data',
      `Cannot start a server as there is no such directory: ${dataDirectory}`,
    );
  return { uid: Number(stat.uid), gid: Number(stat.gid) };
}

async function makePrivateDirectory(parent: string, owner: Owner): Promise<string> {
  const folder = await makeOwnedDirectory(parent, 'holdfast-scratch');
  await mkdir(join(folder, scratchFiles.files), { mode: 0o700 });
  if (Buffer.byteLength(join(folder, scratchFiles.socket)) > socketPathLimit) {
    await rm(folder, { recursive: true });
    throw new InvalidRequest(
      'scratch-path-too-long',
      `Cannot start a server as the path of its socket is too long: ${folder}`,
      {
        nextStep: 'Choose a directory for drills with a shorter path.',
      },
    );
  }
  if (process.getuid?.() === 0)
    for (const path of [join(folder, scratchFiles.files), folder]) await chown(path, owner.uid, owner.gid);
  return folder;
}

async function writeConfig(
  folder: string,
  given: { options: ScratchServerOptions; owner: Owner; serverId: number },
): Promise<void> {
  const { options, owner, serverId } = given;
  const text = scratchConfig({
    vendor: options.vendor,
    dataDirectory: options.dataDirectory,
    privateDirectory: folder,
    temporaryDirectory: options.temporaryDirectory ?? folder,
    serverId,
    bufferPoolBytes: options.bufferPoolBytes ?? 128 * 1024 * 1024,
    user: process.getuid?.() === 0 ? String(owner.uid) : undefined,
    variables: options.variables,
    backupOptions: await readIfThere(join(options.dataDirectory, 'backup-my.cnf')),
    ...(options.hostOptions === undefined ? {} : { hostOptions: options.hostOptions }),
  });
  // Servers ignore an option file that others may write to, and read it before they become another user.
  await writeFile(join(folder, scratchFiles.config), text, { mode: 0o600 });
}

/** Two servers of one id would be taken for one, should they ever meet. */
function otherServerId(recorded: string | undefined): number {
  const id = randomInt(2 ** 31, 2 ** 32 - 1);
  return String(id) === recorded ? id - 1 : id;
}

function spawnServer(folder: string, { program, signal }: ScratchServerOptions): Tool {
  return new Tool({
    command: program,
    args: [`--defaults-file=${join(folder, scratchFiles.config)}`],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: folder },
    signal,
    graceMs,
    judge: () => undefined,
  });
}

type RunEnd = Ending | { readonly error: unknown };

/** Reads what it prints, so that it never blocks, and answers how it ended once it has. */
function drain(tool: Tool): { readonly ending: () => RunEnd | undefined } {
  let ending: RunEnd | undefined;
  const run = async (): Promise<Ending> => {
    for await (const _ of tool.output());
    return tool.succeeded();
  };
  run().then(
    (value) => (ending = value),
    (error: unknown) => (ending = { error }),
  );
  return { ending: () => ending };
}

interface Wait {
  readonly ended: { readonly ending: () => RunEnd | undefined };
  readonly folder: string;
  readonly options: ScratchServerOptions;
}

async function untilItAnswers(socket: string, wait: Wait): Promise<SqlConnection> {
  const { clock = systemClock, signal, startLimitMs = defaultStartLimitMs } = wait.options;
  const deadline = clock.elapsed() + startLimitMs;
  for (;;) {
    signal.throwIfAborted();
    const connection = await tryConnect(socket, wait.options);
    if (connection !== undefined) return connection;
    signal.throwIfAborted();
    const ending = wait.ended.ending();
    if (ending !== undefined) throw await endedEarly(ending, wait);
    if (clock.elapsed() > deadline) throw serverSilent(startLimitMs, await logLines(wait.folder));
    await clock.sleep(pollMs, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function endedEarly(ending: RunEnd, { folder, options }: Wait): Promise<unknown> {
  if ('error' in ending) return ending.error;
  return serverEnded(options.program, ending, [...ending.lastLines, ...(await logLines(folder))]);
}

async function tryConnect(
  socket: string,
  { connect, signal }: ScratchServerOptions,
): Promise<SqlConnection | undefined> {
  if ((await statIfThere(socket)) === undefined) return undefined;
  try {
    return await connect(socket, { signal });
  } catch {
    return undefined;
  }
}

async function logLines(folder: string): Promise<string[]> {
  const logged = await tailOf(join(folder, scratchFiles.log));
  return logged.split('\n').filter((line) => line !== '');
}

async function tailOf(path: string): Promise<string> {
  if ((await statIfThere(path)) === undefined) return '';
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(keptLogBytes),
    0,
    keptLogBytes,
    Math.max(0, size - keptLogBytes),
  );
  return buffer.toString('utf8', 0, bytesRead);
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
