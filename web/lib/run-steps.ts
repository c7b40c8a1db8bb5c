import type { JobProgress } from '../../src/api/jobs.ts';
import type { BackupState } from '../../src/api/runs.ts';
import { formatBytes, formatDuration, plural } from '../../src/api/figures.ts';
import { formatRate } from './format.ts';

/** In the order in which they come; a run has some of them. */
const words = {
  preflight: 'Preflight',
  copying: 'Copy the files',
  uploading: 'Upload the rest',
  sealing: 'Seal',
  download: 'Download and verify',
  prepare: 'Apply the redo log',
  sync: 'Write to disk',
  spread: 'Bring files to other directories',
  ownership: 'Hand over the files',
  stop: 'Stop the server',
  place: 'Move into place',
  replace: 'Swap the data',
  start: 'Start the server',
  check: 'Check the tables',
  'roll-back': 'Put the old data back',
} as const;
const order = Object.keys(words);
/** The steps that move the data of the whole database. */
const moving: readonly string[] = ['copying', 'download'];

export interface Step {
  readonly name: string;
  /** `ended`: someone wanted its end. */
  readonly state: 'done' | 'now' | 'ahead' | 'failed' | 'ended';
  /** How long it took, or takes so far. */
  readonly ms?: number | undefined;
  /** Of the step at hand: from 0 to 1, where that can be told. */
  readonly part?: number | undefined;
  /** E.g. `1.2 GB of 3.4 GB, 90 MB/s, 25 s left` */
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

/** What a run does, did and will do. */
export function stepsOf({ state, main, progress, done }: RunSoFar): readonly Step[] {
  if (done !== undefined) return done.map(({ name, ms }) => ({ name: wordOf(name), state: 'done', ms }));
  const isOver = state === 'Failed' || state === 'Cancelled';
  // What went wrong before the first step says more than steps that never came.
  if (isOver && progress === undefined) return [];
  // Between two attempts all lies ahead again.
  const isTold = isOver || state === 'Running' || state === 'Starting';
  if (progress === undefined || !isTold) return main.map((step) => ({ name: wordOf(step), state: 'ahead' }));
  // An agent that has just begun has nothing else to tell.
  const current = progress.step === 'starting' ? 'preflight' : progress.step;
  const names = inOrder([...main, current]);
  const at = names.indexOf(current);
  return names.map((step, index) => {
    if (index !== at) return { name: wordOf(step), state: index < at ? 'done' : 'ahead' };
    return { name: wordOf(step), ...stepAtHand(progress, state) };
  });
}

function stepAtHand(progress: JobProgress, state: BackupState): Omit<Step, 'name'> {
  const detail = describeProgress(progress);
  if (state === 'Failed') return { state: 'failed', detail };
  if (state === 'Cancelled') return { state: 'ended', detail };
  return { state: 'now', part: partOf(progress), detail };
}

/** From 0 to 1; undefined where it cannot be told. */
export function partOf({ step, bytes: { read, expected = 0 }, tables }: JobProgress): number | undefined {
  if (tables !== undefined) return tables.total === 0 ? undefined : tables.done / tables.total;
  return moving.includes(step) && expected > 0 ? Math.min(1, read / expected) : undefined;
}

/** `1.20 GB of 3.40 GB, 90.0 MB/s, 25 s left, 310 MB uploaded` */
export function describeProgress(progress: JobProgress): string | undefined {
  const { step, bytes, tables, etaSeconds } = progress;
  const { uploaded = 0 } = bytes;
  const parts = [
    ...(tables === undefined ? [] : [`${tables.done.toLocaleString('en')} of ${plural(tables.total, 'table')}`]),
    ...(moving.includes(step) && tables === undefined ? describeMoving(progress) : []),
    ...(etaSeconds === undefined ? [] : [`${formatDuration(etaSeconds * 1000)} left`]),
    ...(uploaded === 0 ? [] : [`${formatBytes(uploaded)} uploaded`]),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

function describeMoving({ bytes: { read, expected }, ratePerSecond }: JobProgress): readonly string[] {
  // What is expected is an estimate; a redo log comes on top.
  const much =
    expected === undefined || expected < read ? formatBytes(read) : `${formatBytes(read)} of ${formatBytes(expected)}`;
  return [...(read === 0 ? [] : [much]), ...(ratePerSecond === undefined ? [] : [formatRate(ratePerSecond)])];
}

/** The name of a step, for people; one that is not known is told as it is. */
export function wordOf(step: string): string {
  return Object.hasOwn(words, step) ? words[step as keyof typeof words] : step;
}

function inOrder(names: readonly string[]): readonly string[] {
  return [...new Set(names)].toSorted((a, b) => order.indexOf(a) - order.indexOf(b));
}
