import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface HostCommandOptions {
  /** All of its environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** After it the command is ended, with all that it started. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

export interface HostCommandEnding {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of what it printed. */
  readonly lastLines: readonly string[];
  readonly isOverdue: boolean;
}

const graceMs = 5_000;
const keptBytes = 8 * 1024;

/**
 * Runs a command that may leave something running, such as one that starts a server: when it ends by itself, what it left
 * lives on. Its output goes to a file without a name, so whoever inherits that neither blocks nor dies of a closed pipe.
 */
export async function runHostCommand(
  argv: readonly [string, ...string[]],
  options: HostCommandOptions,
): Promise<HostCommandEnding> {
  options.signal.throwIfAborted();
  const [command, ...args] = argv;
  await using output = await openNameless();
  const child = spawn(command, args, {
    stdio: ['ignore', output.fd, output.fd],
    detached: true,
    cwd: '/',
    env: { ...options.env },
  });
  const limit = AbortSignal.timeout(options.limitMs);
  const stop = AbortSignal.any([options.signal, limit]);
  const onStop = (): void => endGroup(child);
  stop.addEventListener('abort', onStop, { once: true });
  try {
    await once(child, 'exit');
  } finally {
    stop.removeEventListener('abort', onStop);
  }
  options.signal.throwIfAborted();
  return {
    exitCode: child.exitCode,
    signal: child.signalCode,
    lastLines: await lastLinesOf(output),
    isOverdue: limit.aborted,
  };
}

async function openNameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `holdfast-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}

function endGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGTERM');
  const last = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
  child.once('exit', () => {
    clearTimeout(last);
    signalGroup(child, 'SIGKILL');
  });
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}

async function lastLinesOf(file: FileHandle): Promise<string[]> {
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(keptBytes), 0, keptBytes, Math.max(0, size - keptBytes));
  return buffer
    .toString('utf8', 0, bytesRead)
    .split('\n')
    .filter((line) => line !== '');
}
