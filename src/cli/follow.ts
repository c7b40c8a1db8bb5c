import type { JobFailure, JobProgress } from '../api/jobs.ts';
import type { Peer } from '../api/transport.ts';
import { Failure, isPermanent } from '../lib/failure.ts';
import { ask, isTerminal } from './ask.ts';
import type { Context } from './context.ts';
import { formatBytes } from '../api/figures.ts';
import { failureOf } from './job-failure.ts';
import { Progress, type ProgressState } from './progress.ts';
import { isReaderGone } from './report-error.ts';

/** What is looked at while it goes on. */
export interface Run {
  readonly state: string;
  readonly failure?: JobFailure | undefined;
}

/** Something that goes on elsewhere, and how it is asked about. */
export interface Followed<Each extends Run> {
  readonly kind: 'backup' | 'restore' | 'drill';
  /** What people call it. */
  readonly id: string;
  readonly peer: Peer;
  /** The run each time it is asked for, until it has ended. */
  watch(options: { readonly signal: AbortSignal }): AsyncIterable<Each>;
  log(options: { readonly signal: AbortSignal }): AsyncIterable<{ readonly text: string }>;
  cancel(options: { readonly signal: AbortSignal }): Promise<unknown>;
  progressOf(run: Each): ProgressState;
}

/** How long one that does not answer is asked again. */
const patienceMs = 600_000;
const askAgainMs = 3_000;
const lastLinesMs = 3_000;
const cancelLimitMs = 30_000;

/** Shows a run until it ends. @returns the run, which succeeded. @throws what it failed with */
export async function follow<Each extends Run>(context: Context, followed: Followed<Each>): Promise<Each> {
  try {
    const logging = new AbortController();
    const signal = AbortSignal.any([context.signal, logging.signal]);
    // A log that cannot be read is no reason to fail.
    const log = context.output.isVerbose ? showLog(context, followed, signal).catch(() => undefined) : undefined;
    const run = await untilEnded(context, followed);
    // The last lines are on their way.
    const limit = setTimeout(() => logging.abort(), lastLinesMs);
    await log;
    clearTimeout(limit);
    return succeeded(run, followed);
  } catch (error) {
    if (context.signal.aborted && !isReaderGone(context.signal.reason)) await offerCancel(context, followed);
    throw error;
  }
}

async function untilEnded<Each extends Run>(context: Context, followed: Followed<Each>): Promise<Each> {
  const { signal, clock, output } = context;
  using progress = new Progress(output, context);
  let last: Each | undefined;
  for (let heardAt = clock.elapsed(); ;) {
    try {
      for await (const run of followed.watch({ signal })) {
        last = run;
        heardAt = clock.elapsed();
        progress.update(followed.progressOf(run));
      }
      if (last) return last;
    } catch (error) {
      if (signal.aborted || isPermanent(error) || clock.elapsed() - heardAt > patienceMs) throw error;
      if (clock.elapsed() - heardAt < askAgainMs)
        output.warn(`The ${followed.peer} does not answer; the ${followed.kind} may go on there. It is asked again.`);
      await clock.sleep(askAgainMs, { signal });
    }
  }
}

async function showLog<Each extends Run>(
  { output }: Context,
  followed: Followed<Each>,
  signal: AbortSignal,
): Promise<void> {
  for await (const { text } of followed.log({ signal })) output.log(text);
}

/** How far a job is, for the bar. */
export function progressState({ step, bytes, tables, isLocked }: JobProgress): ProgressState {
  if (tables) return { step, ...tables, unit: 'tables' };
  const uploaded = bytes.uploaded === undefined ? [] : [`${formatBytes(bytes.uploaded)} uploaded`];
  const notes = [...uploaded, ...(isLocked ? ['server locked'] : [])];
  if (bytes.read === 0 && bytes.expected === undefined) return { step };
  return { step, done: bytes.read, total: bytes.expected, ...(notes.length > 0 && { note: () => notes.join(', ') }) };
}

function succeeded<Each extends Run>(run: Each, { kind, peer }: Followed<Each>): Each {
  if (run.state === 'Succeeded') return run;
  if (run.failure && run.state !== 'Cancelled') throw failureOf(run.failure);
  throw new Failure('job-cancelled', `Cannot go on with the ${kind} as it was cancelled at the ${peer}`);
}

/** Ending this program does not end the run: people are told, and asked where that is possible. */
async function offerCancel<Each extends Run>({ output, options }: Context, followed: Followed<Each>): Promise<void> {
  const { kind, id, peer } = followed;
  output.stderr(`The ${kind} ${id} goes on at the ${peer}.`);
  output.json({ type: 'left', kind, id });
  if (options.json || !isTerminal()) return;
  const answer = await ask('Cancel it there, too? [y/N] ', { signal: new AbortController().signal });
  if (!/^y(es)?$/i.test(answer?.trim() ?? '')) return;
  await followed.cancel({ signal: AbortSignal.timeout(cancelLimitMs) });
  output.stderr('It was asked to end.');
}
