import type { JobProgress } from '../../src/api/jobs.ts';
import type { BackupState } from '../../src/api/runs.ts';
import { formatBytes, formatDuration, formatRate, plural } from './format.ts';

/** In the order in which they come; a run has some of them. */
const words = {
  starting: 'Begin',
  preflight: 'Preflight',
  download: 'Download and verify',
  prepare: 'Apply the redo log',
  sync: 'Write to disk',
  ownership: 'Hand over the files',
  stop: 'Stop the server',
  place: 'Move into place',
  replace: 'Swap the data',
  start: 'Start the server',
  check: 'Check the tables',
  'roll-back': 'Put the old data back',
} as const;
const order = Object.keys(words);

export interface ShownStep {
  readonly name: string;
  readonly state: 'done' | 'now' | 'ahead' | 'failed';
  readonly ms?: number | undefined;
  readonly part?: number | undefined;
  readonly detail?: string | undefined;
}

export interface RunSoFar {
  readonly state: BackupState;
  /** Steps that it will surely have, by name. */
  readonly main: readonly string[];
  readonly progress: JobProgress | undefined;
  /** Known once it has succeeded. */
  readonly done: readonly { readonly name: string; readonly ms: number }[] | undefined;
}

/** What a restore or drill does, did and will do. */
export function stepsOf({ state, main, progress, done }: RunSoFar): readonly ShownStep[] {
  // What went wrong before the first step says more than steps that never came.
  if (progress === undefined && (state === 'Failed' || state === 'Cancelled')) return [];
  if (done !== undefined) return done.map(({ name, ms }) => ({ name: wordOf(name), state: 'done', ms }));
  const current = progress?.step;
  const names = inOrder([...main, ...(current === undefined ? [] : [current])]);
  const at = current === undefined ? -1 : names.indexOf(current);
  return names.map((name, index) => {
    if (index < at) return { name: wordOf(name), state: 'done' };
    if (index > at || progress === undefined) return { name: wordOf(name), state: 'ahead' };
    return currentStep(state, progress);
  });
}

function currentStep(state: BackupState, progress: JobProgress): ShownStep {
  const name = wordOf(progress.step);
  if (state === 'Failed' || state === 'Cancelled') return { name, state: 'failed', detail: describeProgress(progress) };
  if (state !== 'Running' && state !== 'Starting') return { name, state: 'ahead' };
  return { name, state: 'now', part: partOf(progress), detail: describeProgress(progress) };
}

/** From 0 to 1; undefined where it cannot be told. */
export function partOf({ step, bytes, tables }: JobProgress): number | undefined {
  if (tables !== undefined) return tables.total === 0 ? undefined : tables.done / tables.total;
  const hasBytes = step === 'download' && bytes.expected !== undefined && bytes.expected > 0;
  return hasBytes ? Math.min(1, bytes.read / (bytes.expected ?? 1)) : undefined;
}

/** `1.20 GB of 3.40 GB, 90.0 MB/s, 25 s left` */
export function describeProgress({ step, bytes, tables, ratePerSecond, etaSeconds }: JobProgress): string | undefined {
  const parts = [
    tables === undefined ? undefined : `${tables.done.toLocaleString('en')} of ${plural(tables.total, 'table')}`,
    step === 'download' && tables === undefined ? describeBytes(bytes) : undefined,
    step === 'download' && ratePerSecond !== undefined ? formatRate(ratePerSecond) : undefined,
    etaSeconds === undefined ? undefined : `${formatDuration(etaSeconds * 1000)} left`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** The name of a step, for people; one that is not known is told as it is. */
export function wordOf(step: string): string {
  return Object.hasOwn(words, step) ? words[step as keyof typeof words] : step;
}

function describeBytes({ read, expected }: JobProgress['bytes']): string {
  return expected === undefined ? formatBytes(read) : `${formatBytes(read)} of ${formatBytes(expected)}`;
}

function inOrder(names: readonly string[]): readonly string[] {
  return [...new Set(names)].toSorted((a, b) => order.indexOf(a) - order.indexOf(b));
}
