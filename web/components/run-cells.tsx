import type { Resource } from '../../src/api/resources.ts';
import type { RunState } from '../../src/api/runs.ts';
import { formatPercent } from '../lib/format.ts';
import { useNow } from '../lib/now.ts';
import { useLiveProgress } from '../lib/progress.ts';
import { partOf } from '../lib/run-steps.ts';
import { canBeCancelled, durationOf, runLooks } from '../lib/states.ts';
import { Duration } from './figures.tsx';
import { StatusMark } from './status-mark.tsx';

type Run = Pick<Resource<'Backup'> | Resource<'Restore'> | Resource<'Drill'>, 'kind' | 'name' | 'spec' | 'status'>;

const states: readonly RunState[] = ['Pending', 'Starting', 'Running', 'Waiting', 'Succeeded', 'Failed', 'Cancelled'];

/** For a filter by state. */
export const runStateOptions = states.map((value) => ({ value, text: runLooks[value].word }));

/** The state of a backup, restore or drill, with how far its step is while it runs. */
export function RunMark({ run: { kind, name, spec, status } }: { readonly run: Run }) {
  const live = useLiveProgress(kind, name)?.progress ?? status.progress;
  const { tone, word } = runLooks[status.state];
  if (spec.isCancelled && canBeCancelled(status.state)) return <StatusMark tone="busy" word="Cancelling" />;
  const part = status.state === 'Running' && live !== undefined ? partOf(live) : undefined;
  return <StatusMark tone={tone} word={part === undefined ? word : `${word} ${formatPercent(part, 1)}`} />;
}

/** From its start to its end, or until now. */
export function RunDuration({ status }: { readonly status: Run['status'] }) {
  const now = useNow(status.startedAt !== undefined && status.endedAt === undefined ? 1000 : 0);
  return <Duration ms={durationOf(status, now)} />;
}
