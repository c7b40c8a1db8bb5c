import { readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface ServerProcess {
  readonly pid: number;
  /** The program's short name, as the system keeps it. */
  readonly command: string;
  /** A file below the directory that it holds. */
  readonly path: string;
}

/**
 * A process that holds a file below this directory open for writing, or locks one of the files that a server locks. Without
 * the right to look at other users' processes only the locks speak. `undefined` when the directory is not there.
 */
export async function findServerUsing(directory: string): Promise<ServerProcess | undefined> {
  const root = await orUndefined(realpath(directory));
  if (root === undefined) return undefined;
  for (const pid of await otherPids()) {
    const path = await openForWriting(pid, root);
    if (path !== undefined) return { pid, command: await commandOf(pid), path };
  }
  return findLockOwner(root);
}

/** How the server of this data directory was started; nothing where it does not run or cannot be seen from here. */
export async function serverArguments(directory: string): Promise<readonly string[]> {
  const server = await findServerUsing(directory);
  if (server === undefined) return [];
  const text = await orUndefined(readFile(`/proc/${server.pid}/cmdline`, 'utf8'));
  return text?.split('\0') ?? [];
}

async function otherPids(): Promise<number[]> {
  const names = (await orUndefined(readdir('/proc'))) ?? [];
  return names.map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid);
}

/** The first file below `root` that the process may write to; processes that end or may not be looked at have none. */
async function openForWriting(pid: number, root: string): Promise<string | undefined> {
  const descriptors = (await orUndefined(readdir(`/proc/${pid}/fd`))) ?? [];
  for (const descriptor of descriptors) {
    const path = await orUndefined(readlink(`/proc/${pid}/fd/${descriptor}`));
    if (path?.startsWith(`${root}/`) === true && !isOurs(path, root) && (await isWritable(pid, descriptor)))
      return path;
  }
  return undefined;
}

/** The working directories of a restore under way may lie in the data directory itself; their writers are no servers. */
function isOurs(path: string, root: string): boolean {
  return path.startsWith(`${root}/.holdfast-`);
}

async function isWritable(pid: number, descriptor: string): Promise<boolean> {
  const info = await orUndefined(readFile(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8'));
  const flags = /^flags:\s*([0-7]+)$/m.exec(info ?? '')?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0;
}

async function commandOf(pid: number): Promise<string> {
  return ((await orUndefined(readFile(`/proc/${pid}/comm`, 'utf8'))) ?? 'unknown').trim();
}

/** Files that every server of its kind locks for as long as it runs. */
const lockedFiles = ['ibdata1', 'aria_log_control', 'mysql.ibd'];

async function findLockOwner(root: string): Promise<ServerProcess | undefined> {
  const owners = parseLocks((await orUndefined(readFile('/proc/locks', 'utf8'))) ?? '');
  for (const name of lockedFiles) {
    const path = join(root, name);
    const file = await orUndefined(stat(path, { bigint: true }));
    const pid = file === undefined ? undefined : owners.get(lockKey(file.dev, file.ino));
    if (pid !== undefined && pid !== process.pid) return { pid, command: await commandOf(pid), path };
  }
  return undefined;
}

/** `1: POSIX  ADVISORY  WRITE 812 fe:00:131 0 EOF` → `fe:00:131` ↦ 812. */
export function parseLocks(text: string): Map<string, number> {
  const owners = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /\s(?:READ|WRITE)\s+(-?\d+)\s+([0-9a-f]+:[0-9a-f]+:\d+)\s/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) owners.set(match[2], Number(match[1]));
  }
  return owners;
}

/** Device and file as the list of locks writes them; the packing of the number is that of Linux. */
function lockKey(device: bigint, file: bigint): string {
  const major = (device >> 8n) & 0xfffn;
  const minor = (device & 0xffn) | ((device >> 12n) & 0xfff00n);
  return `${hex(major)}:${hex(minor)}:${file}`;
}

function hex(value: bigint): string {
  return value.toString(16).padStart(2, '0');
}

async function orUndefined<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch {
    return undefined;
  }
}
