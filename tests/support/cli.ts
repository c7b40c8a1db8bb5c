import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { COMPILE_CACHE } from './compile-cache.ts';

/** How one run of the command line ended. */
export interface CliRun {
  /** The exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Folders before those of the PATH. */
  readonly path?: string;
  /** Told of everything that it prints on stdout, as it comes. */
  readonly onStdout?: (text: string, pid: number) => void;
  /** Default 60,000. */
  readonly limitMs?: number;
}

const program = new URL('../../src/cli.ts', import.meta.url).pathname;

/** Runs `holdfast` as a shell would, without a terminal; of the environment it gets only PATH, HOME and what is given. */
export async function holdfast(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const path = `${options.path === undefined ? '' : `${options.path}:`}${process.env['PATH'] ?? ''}`;
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: path, HOME: process.env['HOME'] ?? '/', NODE_COMPILE_CACHE: COMPILE_CACHE, ...options.env },
    timeout: options.limitMs ?? 60_000,
    killSignal: 'SIGKILL',
  });
  const { pid = -1 } = child;
  child.stdout.on('data', (part: Buffer) => options.onStdout?.(part.toString(), pid));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.signalCode ?? child.exitCode, stdout, stderr };
}

/** Every line of stdout, which must be JSON. */
export function documentsOf({ stdout }: CliRun): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line));
}

/** What a person is told when something failed; empty where nothing is. */
export function failed({ code, stderr }: CliRun): { code: CliRun['code']; message: string; next: string } {
  const lines = stderr.split('\n');
  return {
    code,
    message: lines.find((line) => line.startsWith('Error: '))?.slice(7) ?? '',
    next: lines.find((line) => line.startsWith('Next: '))?.slice(6) ?? '',
  };
}
