import type { AgentClient } from '../../api/client.ts';
import type { JobKind, JobOf, JobProgress } from '../../api/jobs.ts';
import { Failure, isPermanent } from '../../lib/failure.ts';
import { ask, isTerminal } from '../ask.ts';
import type { Context } from '../context.ts';
import { formatBytes } from '../format.ts';
import { Progress, type ProgressState } from '../progress.ts';
import { isReaderGone } from '../report-error.ts';
import { failureOf } from './job-failure.ts';

export interface Followed<Kind extends JobKind> {
  readonly client: AgentClient;
  readonly kind: Kind;
  readonly id: string;
}

/** How long an agent that does not answer is asked again. */
const patienceMs = 600_000;
const askAgainMs = 3_000;
const lastLinesMs = 3_000;
const cancelLimitMs = 30_000;

/** Shows a job until it ends. @returns the job, which succeeded. @throws what it failed with */
export async function followJob<Kind extends JobKind>(
  context: Context,
  followed: Followed<Kind>,
): Promise<JobOf<Kind>> {
  try {
    const logging = new AbortController();
    const signal = AbortSignal.any([context.signal, logging.signal]);
    // A log that cannot be read is no reason to fail.
    const log = context.output.isVerbose ? showLog(context, followed, signal).catch(() => undefined) : undefined;
    const job = await untilEnded(context, followed);
    // The last lines are on their way.
    const limit = setTimeout(() => logging.abort(), lastLinesMs);
    await log;
    clearTimeout(limit);
    return succeeded(job);
  } catch (error) {
    if (context.signal.aborted && !isReaderGone(context.signal.reason)) await offerCancel(context, followed);
    throw error;
  }
}

async function untilEnded<Kind extends JobKind>(
  context: Context,
  { client, kind, id }: Followed<Kind>,
): Promise<JobOf<Kind>> {
  const { signal, clock, output } = context;
  using progress = new Progress(output, context);
  let last: JobOf<Kind> | undefined;
  for (let heardAt = clock.elapsed(); ;) {
    try {
      for await (const job of client.watch(kind, id, { signal })) {
        last = job;
        heardAt = clock.elapsed();
        progress.update(stateOf(job));
      }
      if (last) return last;
    } catch (error) {
      if (signal.aborted || isPermanent(error) || clock.elapsed() - heardAt > patienceMs) throw error;
      if (clock.elapsed() - heardAt < askAgainMs)
        output.warn(`The agent does not answer; the ${kind} may go on there. It is asked again.`);
      await clock.sleep(askAgainMs, { signal });
    }
  }
}

async function showLog<Kind extends JobKind>(
  { output }: Context,
  { client, kind, id }: Followed<Kind>,
  signal: AbortSignal,
): Promise<void> {
  for await (const { text } of client.log(kind, id, { signal })) output.log(text);
}

function stateOf({ step, bytes, tables, isLocked }: JobProgress): ProgressState {
  if (tables) return { step, ...tables, unit: 'tables' };
  const uploaded = bytes.uploaded === undefined ? [] : [`${formatBytes(bytes.uploaded)} uploaded`];
  const notes = [...uploaded, ...(isLocked ? ['server locked'] : [])];
  if (bytes.read === 0 && bytes.expected === undefined) return { step };
  return { step, done: bytes.read, total: bytes.expected, ...(notes.length > 0 && { note: notes.join(', ') }) };
}

function succeeded<Kind extends JobKind>(job: JobOf<Kind>): JobOf<Kind> {
  if (job.state === 'Succeeded') return job;
  if (job.failure) throw failureOf(job.failure);
  throw new Failure('job-cancelled', `Cannot go on with the ${job.kind} as it was cancelled at the agent`);
}

/** Ending this program does not end the job: people are told, and asked where that is possible. */
async function offerCancel<Kind extends JobKind>(
  { output, options }: Context,
  { client, kind, id }: Followed<Kind>,
): Promise<void> {
  output.stderr(`The ${kind} ${id} goes on at the agent.`);
  output.json({ type: 'left', kind, id });
  if (options.json || !isTerminal()) return;
  const answer = await ask('Cancel it there, too? [y/N] ', { signal: new AbortController().signal });
  if (!/^y(es)?$/i.test(answer?.trim() ?? '')) return;
  await client.cancel(kind, id, { signal: AbortSignal.timeout(cancelLimitMs) });
  output.stderr('It was asked to end.');
}
