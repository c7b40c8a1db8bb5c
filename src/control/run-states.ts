import type { JobFailure, JobProgress } from '../api/jobs.ts';
import type { AttemptView, BackupState } from '../api/runs.ts';

/**
 * The one table of states of backups, restores and drills. The last five rows are of backups alone: only they are tried
 * again after their end, and deleted.
 */
const followers: Readonly<Record<BackupState, readonly BackupState[]>> = {
  Pending: ['Starting', 'Failed', 'Cancelled'],
  // Back again when the agent turns out to be busy.
  Starting: ['Pending', 'Waiting', 'Running', 'Succeeded', 'Failed', 'Cancelled'],
  Running: ['Waiting', 'Succeeded', 'Failed', 'Cancelled'],
  // Between two attempts; an earlier one may turn out to have sealed the backup.
  Waiting: ['Starting', 'Succeeded', 'Failed', 'Cancelled'],
  Succeeded: ['Deleting'],
  Failed: ['Starting', 'Deleting'],
  Cancelled: ['Deleting'],
  Deleting: ['Deleted', 'DeleteFailed'],
  DeleteFailed: ['Deleting'],
  Deleted: [],
};

export function mayBecome(from: BackupState, to: BackupState): boolean {
  return followers[from].includes(to);
}

/** Nothing is under way and nothing more comes, unless a person asks for it. */
export function hasEnded(state: BackupState): boolean {
  return !['Pending', 'Starting', 'Running', 'Waiting', 'Deleting'].includes(state);
}

/** Something may be under way at an agent. */
export function isUnderWay(state: BackupState): boolean {
  return state === 'Starting' || state === 'Running';
}

/** What the statuses of all three kinds have. */
export interface RunStatus {
  readonly state: BackupState;
  readonly attempt: number;
  readonly attempts: AttemptView[];
  readonly startedAt?: string | undefined;
  readonly endedAt?: string | undefined;
  readonly nextAttemptAt?: string | undefined;
  readonly waitingFor: string[];
  readonly progress?: JobProgress | undefined;
  readonly failure?: JobFailure | undefined;
}

/** Throws RangeError for a step that is not in the table: a fault of the program. */
function become<Status extends RunStatus, State extends BackupState>(status: Status, state: State) {
  if (!mayBecome(status.state, state)) throw new RangeError(`a run that is ${status.state} cannot become ${state}`);
  return { ...status, state, waitingFor: [], progress: undefined, nextAttemptAt: undefined };
}

/** The next attempt begins. It is counted before anyone is asked, so that no two are the same. */
export function begin<Status extends RunStatus>(status: Status, at: string) {
  const attempt = status.attempt + 1;
  return {
    ...become(status, 'Starting'),
    attempt,
    attempts: [...status.attempts, { number: attempt, startedAt: at }],
    startedAt: status.startedAt ?? at,
    endedAt: undefined,
    failure: undefined,
  };
}

/** The attempt did not begin as the agent does something else: it is not counted. */
export function hold<Status extends RunStatus>(status: Status, waitingFor: readonly string[]) {
  const attempts = status.attempts.slice(0, -1);
  const isFirst = attempts.length === 0;
  return {
    ...become(status, isFirst ? 'Pending' : 'Waiting'),
    attempt: status.attempt - 1,
    attempts,
    waitingFor: [...waitingFor],
    startedAt: isFirst ? undefined : status.startedAt,
    failure: attempts.at(-1)?.failure,
  };
}

/** The agent has taken it. */
export function run<Status extends RunStatus>(status: Status) {
  return become(status, 'Running');
}

export function succeed<Status extends RunStatus>(status: Status, at: string) {
  return { ...become(status, 'Succeeded'), attempts: closed(status, at), endedAt: at, failure: undefined };
}

/** @param next when the next attempt begins; undefined when there is none */
export function fail<Status extends RunStatus>(
  status: Status,
  { at, failure, next }: { readonly at: string; readonly failure: JobFailure; readonly next: string | undefined },
) {
  const attempts = closed(status, at, failure);
  if (next === undefined) return { ...become(status, 'Failed'), attempts, failure, endedAt: at };
  return { ...become(status, 'Waiting'), attempts, failure, nextAttemptAt: next };
}

export function cancel<Status extends RunStatus>(status: Status, at: string) {
  return { ...become(status, 'Cancelled'), attempts: closed(status, at), endedAt: at };
}

export function startDeleting<Status extends RunStatus>(status: Status) {
  return { ...become(status, 'Deleting'), failure: undefined };
}

export function deleted<Status extends RunStatus>(status: Status, at: string) {
  return { ...become(status, 'Deleted'), failure: undefined, deletedAt: at };
}

export function failDeleting<Status extends RunStatus>(status: Status, failure: JobFailure) {
  return { ...become(status, 'DeleteFailed'), failure };
}

/** What an attempt found is written once: one that has ended stays as it is. */
function closed({ attempts }: RunStatus, at: string, failure?: JobFailure): AttemptView[] {
  const last = attempts.at(-1);
  if (last === undefined || last.endedAt !== undefined) return attempts;
  return [...attempts.slice(0, -1), { ...last, endedAt: at, ...(failure === undefined ? {} : { failure }) }];
}
