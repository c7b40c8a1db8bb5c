import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server program under test, with what it last printed. */
export interface Child {
  readonly pid: number;
  /** Undefined while it runs, else how it ended, e.g. `exit code 1` or `SIGKILL`. */
  readonly ended: () => string | undefined;
  /** The last 8 KiB of what it printed. */
  readonly printed: () => string;
  /** Sends `signal`, waits for the end, and sends SIGKILL after `limitMs`. */
  readonly end: (signal: NodeJS.Signals, limitMs?: number) => Promise<void>;
}

export function startChild(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Child {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: env ?? process.env });
  let printed = '';
  let failure: string | undefined;
  child.on('error', (error) => (failure = error.message));
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (printed = (printed + text).slice(-8192)));
  }
  const ended = (): string | undefined =>
    failure ?? child.signalCode ?? (child.exitCode === null ? undefined : `exit code ${child.exitCode}`);
  const end = async (signal: NodeJS.Signals, limitMs = 30_000): Promise<void> => {
    if (ended() === undefined) {
      await endChild(child, signal, limitMs);
    }
  };
  return { pid: child.pid ?? -1, ended, printed: () => printed, end };
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals, limitMs: number): Promise<void> {
  const exit = once(child, 'exit');
  const last = setTimeout(() => child.kill('SIGKILL'), limitMs);
  child.kill(signal);
  await exit;
  clearTimeout(last);
}

/** Waits until `isReady`; throws with what the child printed when it ends first or takes longer than `limitMs`. */
export async function waitUntil(
  isReady: () => Promise<boolean>,
  options: { readonly child: Child; readonly what: string; readonly limitMs?: number },
): Promise<void> {
  const deadline = performance.now() + (options.limitMs ?? 60_000);
  while (!(await isReady())) {
    const ended = options.child.ended();
    if (ended !== undefined || performance.now() > deadline) {
      throw new Error(`Cannot start ${options.what} as ${ended ?? 'it does not answer'}: ${options.child.printed()}`);
    }
    await sleep(20);
  }
}

const [lowestPort, portsEach, workersAtMost] = [20_000, 1_000, 12];
let portsTried = randomInt(portsEach);

/**
 * A loopback port for a server that binds it later. The system gives out none of these by itself, and each worker has its own:
 * nobody else takes it meanwhile.
 */
export async function freePort(): Promise<number> {
  const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % workersAtMost;
  for (let tries = 0; tries < portsEach; tries += 1) {
    const port = lowestPort + worker * portsEach + (portsTried++ % portsEach);
    if (await isFree(port)) return port;
  }
  throw new Error(`Cannot find a free port from ${lowestPort} on`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!isListening) return false;
  server.close();
  await once(server, 'close');
  return true;
}
