import { hash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isStandIn } from '../../src/core/placement-exchange.ts';
import { type PlacementFiles, systemFiles } from '../../src/core/placement-files.ts';
import { type Child, startChild, waitUntil } from './child.ts';
import { greets } from './servers.ts';
import { serverUser } from './server-user.ts';

/** How long a server may take to refuse. */
const refusalLimitMs = 20_000;

export interface ProofOptions {
  /** The server program, and the arguments of each way in which it is started at every step. */
  readonly server: string;
  readonly waysToStart: readonly (readonly string[])[];
  /** At every step in one of these ways, by turns: for a server that takes long to refuse. */
  readonly isByTurns?: boolean;
  readonly target: string;
  /** Where else the server keeps data. */
  readonly areas?: readonly string[];
  /** In the order of the guard. */
  readonly guardFiles: readonly string[];
}

export interface Proof {
  readonly files: PlacementFiles;
  /** How often the server was started and refused. */
  readonly refusals: () => number;
  /** From now on no server is started. */
  readonly end: () => void;
  /**
   * The control, for when nothing is a stand-in any more: starts the server in each way once, and throws unless it runs. Else its
   * refusals may have had another reason.
   */
  readonly seeItRun: () => Promise<void>;
}

/**
 * Files for a placement that start the real server after every change made while the first guard file is a stand-in, and
 * throw unless it refuses and, as long as all guard files are stand-ins, leaves every file in the target as it was.
 */
export function proveAtEveryStep(options: ProofOptions): Proof {
  let refusals = 0;
  let isOver = false;
  const known: Digests = new Map();
  const prove = async (): Promise<void> => {
    const [first] = options.guardFiles;
    if (isOver || first === undefined || !(await isStandIn(join(options.target, first)))) return;
    const ways = options.waysToStart.filter((_, at, all) => !options.isByTurns || at === refusals % all.length);
    for (const way of ways) {
      const before = await contents(options, known);
      await seeRefusal(options, way);
      if (await isClosed(options)) refuseChanges(before, await contents(options, known), way);
      refusals += 1;
    }
  };
  const { rename, link, unlink, writeDurably } = systemFiles;
  return {
    refusals: () => refusals,
    end: () => {
      isOver = true;
    },
    seeItRun: async () => {
      for (const way of options.waysToStart) await seeStart(options, way);
    },
    files: {
      ...systemFiles,
      rename: (from, to) => rename(from, to).then(prove),
      link: (existing, path) => link(existing, path).then(prove),
      unlink: (path) => unlink(path).then(prove),
      writeDurably: (path, text, owner) => writeDurably(path, text, owner).then(prove),
    },
  };
}

async function isClosed({ guardFiles, target }: ProofOptions): Promise<boolean> {
  const found = await Promise.all(guardFiles.map((name) => isStandIn(join(target, name))));
  return found.every(Boolean);
}

async function seeRefusal(options: ProofOptions, way: readonly string[]): Promise<void> {
  await using attempt = await start(options, way);
  const { child } = attempt;
  await ending(child);
  if (child.ended() === 'exit code 1') return;
  throw new Error(
    `The server did not refuse (${child.ended() ?? 'it runs'}) with ${way.join(' ')}: ${child.printed()}`,
  );
}

async function seeStart(options: ProofOptions, way: readonly string[]): Promise<void> {
  await using attempt = await start(options, way);
  const { child, socket } = attempt;
  await waitUntil(async () => greets(socket), { child, what: `the server with ${way.join(' ')}` });
  await child.end('SIGTERM');
}

interface Attempt extends AsyncDisposable {
  readonly child: Child;
  readonly socket: string;
}

async function start({ server, target }: ProofOptions, way: readonly string[]): Promise<Attempt> {
  const folder = await mkdtemp(join(tmpdir(), 'hf-guard-'));
  await serverUser().own(folder);
  const socket = join(folder, 's.sock');
  const child = startChild(server, [
    '--no-defaults',
    ...serverUser().arguments,
    `--datadir=${target}`,
    `--socket=${socket}`,
    `--pid-file=${join(folder, 'pid')}`,
    '--skip-networking',
    '--innodb-buffer-pool-size=32M',
    ...way,
  ]);
  const end = async (): Promise<void> => {
    await child.end('SIGKILL');
    await rm(folder, { recursive: true });
  };
  return { child, socket, [Symbol.asyncDispose]: end };
}

async function ending(child: Child): Promise<void> {
  const deadline = performance.now() + refusalLimitMs;
  while (child.ended() === undefined && performance.now() < deadline) await sleep(10);
}

function refuseChanges(before: Map<string, string>, after: Map<string, string>, way: readonly string[]): void {
  for (const [path, digest] of before) {
    if (after.get(path) !== digest)
      throw new Error(`A server that refused to start changed ${path}, started with ${way.join(' ')}`);
  }
}

/**
 * Path ↦ digest of every file in the target but those that Holdfast keeps there, and of all files in the areas. What was not
 * touched is not read again.
 */
async function contents({ target, areas = [] }: ProofOptions, known: Digests): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const directory of [target, ...areas]) {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || path.startsWith(join(target, '.holdfast-'))) continue;
      digests.set(path, await digestOf(path, known));
    }
  }
  return digests;
}

/** By what a file system changes whenever a file is written to. */
type Digests = Map<string, string>;

async function digestOf(path: string, known: Digests): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  const state = [ino, size, mtimeNs, ctimeNs].join(' ');
  const digest = known.get(state) ?? hash('sha1', await readFile(path));
  known.set(state, digest);
  return digest;
}
