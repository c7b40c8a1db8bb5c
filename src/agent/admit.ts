import { isDeepStrictEqual } from 'node:util';
import { isEnded, type Job, type JobKind } from '../api/jobs.ts';
import { Conflict } from '../lib/failure.ts';

export interface Wanted {
  readonly kind: JobKind;
  readonly id: string;
  readonly request: Job['request'];
}

export interface Known {
  /** The job of this kind and id, if there ever was one. */
  readonly same: Job | undefined;
  /** Jobs under way. */
  readonly active: readonly Job[];
  /** Restores and drills leave a database server on this host alone only one at a time. */
  readonly hasServer: boolean;
}

/**
 * Is this a new job (`start`), or one that is known already (`known`)? Pure.
 * @throws Conflict `attempt-superseded`, `attempt-differs`, `already-succeeded`, `busy`
 */
export function admit(wanted: Wanted, { same, active, hasServer }: Known): 'start' | 'known' {
  if (same !== undefined && isKnown(wanted, same)) return 'known';
  const running = active.find((job) => hasServer || job.kind === wanted.kind);
  if (running !== undefined) throw busy(wanted, running);
  return 'start';
}

function isKnown({ kind, id, request }: Wanted, same: Job): boolean {
  const what = `${kind} ${id}`;
  const { attempt } = request;
  if (attempt < same.attempt) {
    const message = `Cannot start attempt ${attempt} of ${what} as a later one was asked for: ${same.attempt}`;
    throw new Conflict('attempt-superseded', message, {
      nextStep: 'Ask for the state of the job, and count on from its attempt.',
    });
  }
  if (attempt === same.attempt) {
    if (isDeepStrictEqual(request, same.request)) return true;
    const message = `Cannot start attempt ${attempt} of ${what} as it was asked for before with other settings: its state is ${same.state}`;
    throw new Conflict('attempt-differs', message, { nextStep: 'Count the attempt up, or choose another id.' });
  }
  if (same.state === 'Succeeded') {
    const message = `Cannot start attempt ${attempt} of ${what} as it has succeeded: by attempt ${same.attempt}`;
    throw new Conflict('already-succeeded', message, { nextStep: 'Choose a new id for another one.' });
  }
  if (!isEnded(same.state)) throw busy({ kind, id, request }, same);
  return false;
}

function busy({ kind, id }: Wanted, running: Job): Conflict {
  const message = `Cannot start ${kind} ${id} as another job runs: ${running.kind} ${running.id}, attempt ${running.attempt}`;
  return new Busy(message, running);
}

/** Names the job that runs, for programs. */
export class Busy extends Conflict {
  override name = 'Busy';
  readonly running: { readonly kind: JobKind; readonly id: string; readonly attempt: number };

  constructor(message: string, { kind, id, attempt }: Job) {
    super('busy', message, { nextStep: 'Wait for its end, or cancel it.' });
    this.running = { kind, id, attempt };
  }
}
