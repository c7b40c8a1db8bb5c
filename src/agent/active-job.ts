import { isEnded, type Job, type JobProgress, jobSchema, type LocationWish } from '../api/jobs.ts';
import { needsPerson } from '../core/needs-person.ts';
import { type Clock, isoTime } from '../lib/clock.ts';
import { Failure } from '../lib/failure.ts';
import { describeFailure } from '../api/describe-failure.ts';
import type { JobLog } from './job-log.ts';
import { mayBecome } from './job-states.ts';
import { RateMeter } from './rate-meter.ts';

/** What a runner tells while it works. */
export type Report = Omit<JobProgress, 'ratePerSecond' | 'etaSeconds'>;

export interface RunTools {
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  readonly report: (progress: Report) => void;
  /** Of the request, with the secrets that came with it: they are in no record of the job. */
  readonly location: LocationWish;
}

/** Does the work of a job and answers with its result, which must be one of the job's kind. */
export type Runner = (job: Job, tools: RunTools) => Promise<unknown>;

export interface ActiveJobOptions {
  readonly clock: Clock;
  readonly log: JobLog;
  readonly location: LocationWish;
  /** Makes a state of the job durable. */
  readonly write: (job: Job) => Promise<void>;
  /** Told when a state could not be made durable; the job goes on. */
  readonly onWriteFailed: (error: unknown) => void;
  /** From one write of mere progress to the next. Default 5,000. */
  readonly writeEveryMs?: number;
}

const writeEveryMs = 5_000;
/** The last state counts most: a disk that is full for a moment must not cost it. */
const lastWritePausesMs = [200, 1_000, 5_000];

/** A job under way: its state in memory and on disk, its log, and the way to end it. */
export class ActiveJob {
  /** Resolves when the job has ended, and its end is on disk if that could be done. Never rejects. */
  readonly ended: Promise<void>;
  readonly #options: ActiveJobOptions;
  readonly #controller = new AbortController();
  readonly #meter: RateMeter;
  #job: Job;
  #writing: Promise<void> = Promise.resolve();
  #lastWrite: number;
  #isEnding = false;

  constructor(job: Job, runner: Runner, options: ActiveJobOptions) {
    this.#job = job;
    this.#options = options;
    this.#meter = new RateMeter(options.clock);
    this.#lastWrite = options.clock.elapsed();
    this.ended = this.#run(runner);
  }

  /** Its state at this moment, with the rate as of now. */
  get job(): Job {
    if (isEnded(this.#job.state)) return this.#job;
    const ratePerSecond = this.#meter.ratePerSecond();
    const etaSeconds = this.#meter.etaSeconds(this.#job.bytes.expected);
    return {
      ...this.#job,
      updatedAt: isoTime(this.#options.clock.now()),
      ...(ratePerSecond === undefined ? {} : { ratePerSecond: Math.round(ratePerSecond) }),
      ...(etaSeconds === undefined ? {} : { etaSeconds }),
    };
  }

  /** Someone wants its end. What happened before that counts: it may still succeed. */
  async cancel(): Promise<void> {
    if (this.#job.isCancelled || this.#isEnding) return;
    this.#job = { ...this.#job, isCancelled: true };
    this.#controller.abort(
      new Failure('cancelled', `Cannot go on with the ${this.#job.kind} as it was cancelled: ${this.#job.id}`),
    );
    await this.#write().catch(this.#options.onWriteFailed);
  }

  /** The agent ends, and so does the job. */
  stop(reason: Failure): void {
    this.#controller.abort(reason);
  }

  async #run(runner: Runner): Promise<void> {
    const { signal } = this.#controller;
    const { location } = this.#options;
    const log = (line: string): void => this.#options.log.add(line);
    const report = (progress: Report): void => this.#report(progress);
    try {
      const result = await runner(this.#job, { signal, log, report, location });
      await this.#end({ state: 'Succeeded', result });
    } catch (error) {
      await this.#end(this.#endingOf(error));
    }
  }

  #report(progress: Report): void {
    if (this.#isEnding) return;
    const isNewStep = progress.step !== this.#job.step;
    if (isNewStep) {
      this.#meter.reset();
      this.#options.log.add(`holdfast: step ${progress.step}`);
    }
    this.#meter.add(progress.bytes.read);
    const { tables: _, ...rest } = this.#job;
    this.#job = { ...rest, ...progress, state: 'Running' };
    const now = this.#options.clock.elapsed();
    if (!isNewStep && now - this.#lastWrite < (this.#options.writeEveryMs ?? writeEveryMs)) return;
    this.#lastWrite = now;
    this.#write().catch(this.#options.onWriteFailed);
  }

  #endingOf(error: unknown): Pick<Job, 'state' | 'failure'> {
    const { signal } = this.#controller;
    if (!signal.aborted || needsPerson(error)) return { state: 'Failed', failure: describeFailure(error) };
    // Whatever a tool says when it is ended, the wish that it ends is the reason.
    const failure = describeFailure(signal.reason);
    return { state: this.#job.isCancelled ? 'Cancelled' : 'Failed', failure };
  }

  async #end(ending: {
    readonly state: Job['state'];
    readonly failure?: Job['failure'];
    readonly result?: unknown;
  }): Promise<void> {
    const { clock, log, onWriteFailed } = this.#options;
    const from = this.#job.state === 'Starting' && ending.state === 'Succeeded' ? 'Running' : this.#job.state;
    if (!mayBecome(from, ending.state)) throw new Error(`a ${from} job cannot become ${ending.state}`);
    const endedAt = isoTime(clock.now());
    const { failure } = ending;
    const ended = jobSchema.parse({ ...this.#job, ...ending, isLocked: false, updatedAt: endedAt, endedAt });
    this.#isEnding = true;
    log.add(`holdfast: ${ending.state}${failure === undefined ? '' : `: ${failure.message}`}`);
    if (failure?.nextStep !== undefined) log.add(`holdfast: next: ${failure.nextStep}`);
    // Nobody is told of an end that a crash could undo.
    await this.#writeLast(ended).catch(onWriteFailed);
    await log.close().catch(onWriteFailed);
    this.#job = ended;
  }

  async #writeLast(ended: Job): Promise<void> {
    for (const pause of lastWritePausesMs) {
      try {
        return await this.#write(ended);
      } catch {
        await this.#options.clock.sleep(pause);
      }
    }
    await this.#write(ended);
  }

  /** One after the other, each with the newest state. */
  async #write(ended?: Job): Promise<void> {
    const before = this.#writing.catch(() => undefined);
    this.#writing = before.then(async () => this.#options.write(ended ?? this.job));
    return this.#writing;
  }
}
