import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type PeakMemory, watchMemory } from './process-tree.ts';
import { processorTime, stolenSince } from './stolen-time.ts';

/** One run of a command. */
export interface Measured {
  /** Wall time, seconds. */
  readonly seconds: number;
  /** Processor time of the command and all it started, seconds. */
  readonly cpu: number;
  readonly memory: PeakMemory;
  /** The part of the processors' time that the host of this virtual machine gave to others meanwhile: 0 to 1. */
  readonly stolen: number;
  /** What it printed on stdout. */
  readonly stdout: string;
}

export interface MeasureOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly onSample?: (now: PeakMemory) => void;
}

/**
 * Runs a shell line and measures it by the shell's own `time`, which counts what all programs in it used. Pages that earlier
 * runs left to be written are written before. Throws with the last of its stderr unless every program in it exits 0.
 */
export async function measure(line: string, options: MeasureOptions = {}): Promise<Measured> {
  await shell('sync');
  const before = processorTime();
  const { stdout, stderr, memory } = await shell(`TIMEFORMAT=$'\nTIME %3R %3U %3S'; time { ${line}\n}`, options);
  const stolen = stolenSince(before);
  const times = /\nTIME ([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(`\n${stderr}`);
  if (!times) throw new Error(`Cannot tell how long it took as the shell did not say: ${stderr.slice(-500)}`);
  const [seconds = 0, user = 0, system = 0] = times.slice(1).map(Number);
  return { seconds, cpu: user + system, memory, stolen, stdout };
}

async function shell(
  line: string,
  { env, onSample }: MeasureOptions = {},
): Promise<{ stdout: string; stderr: string; memory: PeakMemory }> {
  // The tool holds every tablespace open, which can be more than the usual limit.
  const limit = 'ulimit -n 1000000 2>/dev/null || true';
  const child = spawn('/bin/bash', ['-c', `set -eo pipefail\n${limit}\n${line}`], {
    env: env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const watch = watchMemory(child.pid ?? 0, onSample);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-8192)));
  try {
    await once(child, 'close');
  } finally {
    watch.stop();
  }
  if (child.exitCode !== 0) throw new Error(`Cannot run ${line} as it ended with ${child.exitCode}: ${stderr}`);
  return { stdout, stderr, memory: watch.stop() };
}

/** Quotes an argument for the shell. */
export function quote(argument: string): string {
  return `'${argument.replaceAll(`'`, `'\\''`)}'`;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
