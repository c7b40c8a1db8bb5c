import { isEnded, type Job, type JobKind, type JobRequest, jobSchema, withoutSecrets } from '../api/jobs.ts';
import { type Clock, isoTime } from '../lib/clock.ts';
import { Conflict, Failure, InvalidRequest } from '../lib/failure.ts';
import { ActiveJob, type Runner } from './active-job.ts';
import { admit, type Wanted } from './admit.ts';
import { JobLog } from './job-log.ts';
import type { DamagedRecord, JobStore } from './job-store.ts';

export interface JobsOptions {
  readonly store: JobStore;
  readonly clock: Clock;
  readonly run: Runner;
  readonly hasServer: boolean;
  /** For the agent's own log. */
  readonly onTrouble: (message: string, error?: unknown) => void;
  readonly onEnded?: (job: Job) => void;
  /** Jobs whose records are kept. Default 200. */
  readonly keep?: number;
  readonly writeEveryMs?: number;
  /** For jobs to end when this is disposed of. Default 10,000. */
  readonly endLimitMs?: number | undefined;
}

const defaultKeep = 200;
const endLimitMs = 10_000;
const recoveryWaitMs = 5_000;

/** All jobs of an agent: those under way, and what is known of those before, also over a restart. */
export class Jobs implements AsyncDisposable {
  readonly #options: JobsOptions;
  readonly #ended = new Map<string, Job>();
  readonly #active = new Map<string, { readonly active: ActiveJob; readonly log: JobLog }>();
  /** Jobs that are being recorded for the first time, so that nobody slips in between. */
  readonly #opening = new Map<string, { readonly job: Job; readonly opened: Promise<Job> }>();
  #isStopping = false;
  #recovery: Promise<void> | undefined;

  private constructor(options: JobsOptions) {
    this.#options = options;
  }

  /** Reads what is on disk; a job that was under way when the agent ended has failed. Returns those and records that cannot be read, too. */
  static async open(options: JobsOptions): Promise<{ jobs: Jobs; interrupted: Job[]; damaged: DamagedRecord[] }> {
    const jobs = new Jobs(options);
    const { jobs: found, damaged } = await options.store.load();
    const interrupted: Job[] = [];
    for (const job of found) {
      if (isEnded(job.state)) {
        jobs.#ended.set(keyOf(job), job);
        continue;
      }
      const ended = asInterrupted(job, options.clock);
      await options.store.write(ended);
      jobs.#ended.set(keyOf(job), ended);
      interrupted.push(ended);
    }
    await jobs.#prune();
    return { jobs, interrupted, damaged };
  }

  /** No job begins before this is done. */
  async recover(work: () => Promise<void>): Promise<void> {
    this.#recovery = work().finally(() => (this.#recovery = undefined));
    await this.#recovery;
  }

  /** Newest first. */
  list(): Job[] {
    const jobs = new Map([...this.#ended.values(), ...this.#activeJobs()].map((job) => [keyOf(job), job]));
    return [...jobs.values()].toSorted((left, right) => right.startedAt.localeCompare(left.startedAt));
  }

  /** @throws InvalidRequest `no-such-job` */
  get(kind: JobKind, id: string): Job {
    const job = this.#find(kind, id);
    if (job === undefined) throw noSuchJob(kind, id);
    return job;
  }

  /** The job has a record on disk when this resolves. @throws what `admit` throws; Failure `agent-state-not-written` */
  async start(kind: JobKind, id: string, request: JobRequest): Promise<Job> {
    const key = keyOf({ kind, id });
    if (this.#isStopping) throw stopped();
    await this.#refuseWhileRecovering();
    const wanted = { kind, id, request: withoutSecrets(request) };
    const same = this.#find(kind, id);
    const known = { same, active: this.#activeJobs(), hasServer: this.#options.hasServer };
    // From here to the entry in #opening nothing waits, so two requests cannot both find the way free.
    if (admit(wanted, known) === 'known') return (await this.#opening.get(key)?.opened) ?? this.get(kind, id);
    const job = newJob(wanted, this.#options.clock);
    const opened = this.#open(job, request).finally(() => this.#opening.delete(key));
    this.#opening.set(key, { job, opened });
    return opened;
  }

  /** Asks the job to end; it does so in its own time. Asking again, or too late, is harmless. */
  async cancel(kind: JobKind, id: string): Promise<Job> {
    await this.#opening.get(keyOf({ kind, id }))?.opened.catch(() => undefined);
    await this.#active.get(keyOf({ kind, id }))?.active.cancel();
    return this.get(kind, id);
  }

  /** Its log, to be read only. */
  async log(kind: JobKind, id: string): Promise<JobLog> {
    const job = this.get(kind, id);
    return this.#active.get(keyOf(job))?.log ?? JobLog.open({ ...this.#logOptions(job), isClosed: true });
  }

  /** Resolves when nothing that is under way now is so any more, however long that takes. */
  async ended(): Promise<void> {
    await Promise.all([...this.#active.values()].map(async ({ active }) => active.ended));
  }

  get isBusy(): boolean {
    return this.#active.size > 0;
  }

  /** Ends what is under way and waits for its end, at most 10 seconds. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    await Promise.allSettled([...this.#opening.values()].map(async ({ opened }) => opened));
    const running = [...this.#active.values()].map(({ active }) => active);
    for (const active of running) active.stop(stopped());
    const limit = AbortSignal.timeout(this.#options.endLimitMs ?? endLimitMs);
    const overdue = new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve()));
    await Promise.race([this.ended(), overdue]);
  }

  /** It mostly takes a moment, but may take as long as a server takes to start. */
  async #refuseWhileRecovering(): Promise<void> {
    if (this.#recovery === undefined) return;
    const limit = this.#options.clock.sleep(recoveryWaitMs);
    await Promise.race([this.#recovery.catch(() => undefined), limit]);
    if (this.#recovery !== undefined) throw recovering();
  }

  async #open(job: Job, { location }: JobRequest): Promise<Job> {
    const { store, clock, run, onTrouble, writeEveryMs } = this.#options;
    const key = keyOf(job);
    await store.write(job);
    const log = await JobLog.open(this.#logOptions(job));
    log.add(`holdfast: attempt ${job.attempt} of ${job.kind} ${job.id} begins at ${job.startedAt}`);
    const active = new ActiveJob(job, run, {
      clock,
      log,
      location,
      write: async (state) => store.write(state),
      onWriteFailed: (error) => onTrouble(`The state of ${job.kind} ${job.id} cannot be recorded`, error),
      ...(writeEveryMs === undefined ? {} : { writeEveryMs }),
    });
    this.#active.set(key, { active, log });
    this.#ended.delete(key);
    void active.ended.then(
      async () => this.#onEnded(key, active),
      (error: unknown) => onTrouble(`The end of ${job.kind} ${job.id} went wrong`, error),
    );
    return active.job;
  }

  async #onEnded(key: string, { job }: ActiveJob): Promise<void> {
    this.#ended.set(key, job);
    this.#active.delete(key);
    this.#options.onEnded?.(job);
    await this.#prune().catch((error: unknown) => this.#options.onTrouble('Old records cannot be removed', error));
  }

  async #prune(): Promise<void> {
    const newestFirst = [...this.#ended.values()].toSorted((left, right) =>
      right.startedAt.localeCompare(left.startedAt),
    );
    for (const job of newestFirst.slice(this.#options.keep ?? defaultKeep)) {
      this.#ended.delete(keyOf(job));
      await this.#options.store.remove(job);
      await JobLog.remove(this.#logOptions(job));
    }
  }

  #find(kind: JobKind, id: string): Job | undefined {
    const key = keyOf({ kind, id });
    return this.#active.get(key)?.active.job ?? this.#opening.get(key)?.job ?? this.#ended.get(key);
  }

  #activeJobs(): Job[] {
    const active = [...this.#active.values()].map((each) => each.active.job);
    return [
      ...active,
      ...[...this.#opening.entries()].flatMap(([key, { job }]) => (this.#active.has(key) ? [] : [job])),
    ];
  }

  #logOptions({ kind, id }: Pick<Job, 'kind' | 'id'>) {
    return { directory: this.#options.store.directory, name: `${kind}-${id}` };
  }
}

function keyOf({ kind, id }: { readonly kind: JobKind; readonly id: string }): string {
  return `${kind}/${id}`;
}

function newJob({ kind, id, request }: Wanted, clock: Clock): Job {
  const now = isoTime(clock.now());
  return jobSchema.parse({
    kind,
    id,
    request,
    attempt: request.attempt,
    state: 'Starting',
    step: 'starting',
    bytes: { read: 0 },
    isLocked: false,
    isCancelled: false,
    startedAt: now,
    updatedAt: now,
  });
}

function asInterrupted(job: Job, clock: Clock): Job {
  const what = `${job.kind} ${job.id}`;
  const nextSteps = {
    backup: 'Start a new attempt: it takes over what this one had uploaded.',
    restore: 'Start a new attempt. What was unfinished has been put in order or is named in the log of the agent.',
    drill: 'Start a new attempt.',
  };
  const failure = {
    code: 'agent-restarted',
    message: `Cannot go on with ${what} as the agent ended while it was under way: its last step was ${job.step}`,
    nextStep: nextSteps[job.kind],
    evidence: [],
    causes: [],
    isPermanent: false,
  };
  return { ...job, state: 'Failed', isLocked: false, endedAt: isoTime(clock.now()), failure };
}

function noSuchJob(kind: JobKind, id: string): InvalidRequest {
  return new InvalidRequest(
    'no-such-job',
    `Cannot find ${kind} ${id} as this agent has no record of it: it may be too old`,
    {
      nextStep: 'GET /v1/jobs lists what is known.',
    },
  );
}

function stopped(): Failure {
  return new Failure('agent-stopped', 'Cannot go on with the job as the agent was told to stop: it takes no new ones', {
    nextStep: 'Start a new attempt when the agent runs again; one of a backup takes over what was uploaded.',
  });
}

function recovering(): Conflict {
  return new Conflict('recovering', 'Cannot start a job as the agent puts in order what an interrupted one left', {
    nextStep: 'Try again in a minute; the log of the agent tells what it does.',
  });
}
