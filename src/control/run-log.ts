import type { LogLine } from '../api/follow-log.ts';
import type { Resource, RunKind } from '../api/resources.ts';
import { Failure, InvalidRequest } from '../lib/failure.ts';
import { readLog } from '../repository/read-log.ts';
import { readSettlement } from '../repository/settle.ts';
import type { ControlContext } from './context.ts';
import { find } from './find.ts';
import { isKind } from './is-kind.ts';
import { hasEnded, isUnderWay } from './run-states.ts';

export interface LogWish {
  /** The first line wanted, counted from 0. */
  readonly from: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

const PAUSE_MS = 500;

/** What the tools print: from the agent while it knows the run, else, of a backup, what its repository keeps. */
export async function* runLog(
  context: ControlContext,
  ref: { readonly kind: RunKind; readonly name: string },
  { from, follow, signal }: LogWish,
): AsyncGenerator<LogLine, void, undefined> {
  let next = from;
  for (;;) {
    const before = await find<RunKind>(context.catalog, ref.kind, ref.name);
    const isLast = !follow || hasEnded(before.status.state);
    for await (const line of linesNow(context, before, { from: next, follow, signal })) {
      next = line.number + 1;
      yield line;
    }
    if (isLast) return;
    await context.clock.sleep(PAUSE_MS, { signal });
  }
}

/** Of the attempt at hand, to its end; of an attempt that has not begun none. */
async function* linesNow(context: ControlContext, run: Resource<RunKind>, wish: LogWish): AsyncGenerator<LogLine> {
  const { attempt, state } = run.status;
  if (attempt === 0) return;
  try {
    yield* agentLines(context, run, wish);
  } catch (error) {
    wish.signal.throwIfAborted();
    if (isUnderWay(state) || state === 'Waiting') {
      // It is looked for again as long as the run goes on.
      if (wish.follow) return;
      throw error;
    }
    yield* keptLines(context, run, { error, ...wish });
  }
}

function agentLines({ launcher }: ControlContext, run: Resource<RunKind>, wish: LogWish): AsyncIterable<LogLine> {
  if (isKind('Backup', run)) {
    const { agent, id } = run.status;
    if (agent === undefined) throw noLog(run);
    return launcher.agent(agent).log('backup', id, wish);
  }
  if (isKind('Restore', run)) return launcher.agent(run.spec.agent).log('restore', run.uid, wish);
  if (isKind('Drill', run)) return launcher.agent(run.spec.agent).log('drill', run.uid, wish);
  throw noLog(run);
}

async function* keptLines(
  { repositories }: ControlContext,
  run: Resource<RunKind>,
  { error, from, signal }: LogWish & { readonly error: unknown },
): AsyncGenerator<LogLine> {
  const isForgotten = error instanceof Failure && error.code === 'no-such-job';
  if (!isKind('Backup', run) || run.status.result === undefined) throw isForgotten ? noLog(run, error) : error;
  const text = await repositories.use(run.spec, { signal, limitMs: 60_000 }, async (repository, limited) => {
    const settlement = await readSettlement(repository, run.status.id, limited);
    return settlement?.state === 'sealed' ? readLog(repository, settlement, limited) : undefined;
  });
  if (text === undefined) throw noLog(run, error);
  const lines = text.replace(/\n$/, '').split('\n');
  for (const [number, line] of lines.entries()) if (number >= from) yield { number, text: line };
}

function noLog({ kind, name }: Resource<RunKind>, cause?: unknown): InvalidRequest {
  return new InvalidRequest('no-log', `Cannot show the log of ${kind} ${name} as none was kept`, {
    cause,
    nextStep: 'The failure of each attempt holds the last lines of its tool.',
  });
}
