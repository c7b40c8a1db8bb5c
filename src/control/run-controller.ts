import { describeFailure } from '../api/describe-failure.ts';
import { isEnded, type Job, type JobFailure } from '../api/jobs.ts';
import type { Resource, RunKind } from '../api/resources.ts';
import { msOf } from '../lib/clock.ts';
import { Failure, InvalidRequest, isPermanent } from '../lib/failure.ts';
import type { Admission, RunRef } from './admission.ts';
import type { ControlContext } from './context.ts';
import { NotGood } from './not-good.ts';
import type { RunOps, RunPlan } from './run-ops.ts';
import { RunRecorder, statusOf } from './run-recorder.ts';
import { isUnderWay } from './run-states.ts';
import {
  forgottenByAgent,
  lostAgent,
  progressOf,
  silentAgent,
  silentStore,
  strangerAt,
  withoutReason,
} from './run-words.ts';
import { Silence } from './silence.ts';

/** How often a run under way is asked for: what the browser shows is at most a second old. */
const POLL_MS = 500;
const SILENT_POLL_MS = 2_000;
/** Whoever waits for others is woken by their end; this is for what the manager does not know of. */
const WAIT_MS = 10_000;
/** How long a store that does not answer keeps what is done from being called succeeded. */
const CONFIRM_LIMIT_MS = 3_600_000;

/** The agent has the job: begun before a crash of this manager, or by an attempt that was believed lost. */
const knownCodes: ReadonlySet<string> = new Set(['attempt-differs', 'attempt-superseded', 'already-succeeded', 'busy']);
const busyCodes: ReadonlySet<string> = new Set(['busy', 'recovering']);

/** Brings runs of one kind to their end, in small steps, each of which can be taken again after a crash. */
export class RunController<Kind extends RunKind> {
  readonly #ops: RunOps<Kind>;
  readonly #context: ControlContext;
  readonly #admission: Admission;
  readonly #recorder: RunRecorder<Kind>;
  readonly #agentSilence: Silence;
  readonly #storeSilence: Silence;
  /** When an agent refused a run, by name, as it does something that was not started here. */
  readonly #refusedAt = new Map<string, number>();

  constructor(ops: RunOps<Kind>, context: ControlContext, admission: Admission) {
    this.#ops = ops;
    this.#context = context;
    this.#admission = admission;
    this.#recorder = new RunRecorder(ops, context, (run) => this.forget(run));
    this.#agentSilence = new Silence(context.clock, context.lostAfterMs);
    this.#storeSilence = new Silence(context.clock, CONFIRM_LIMIT_MS);
  }

  /** What is under way when the manager starts has what it needs before anything else may begin. */
  async adopt(found: Resource<Kind>): Promise<void> {
    if (!isUnderWay(statusOf(found).state)) return;
    this.#admission.take(this.#refOf(found), await this.#ops.needs(found));
  }

  /** @returns after how many milliseconds to come again; undefined when nothing more happens by itself */
  async reconcile(found: Resource<Kind>, signal: AbortSignal): Promise<number | undefined> {
    const { state } = statusOf(found);
    if (state === 'Pending' || state === 'Waiting') return this.#rest(found, signal);
    if (isUnderWay(state)) return this.#followAttempt(found, signal);
    this.forget(found);
    this.#refusedAt.delete(found.name);
    const isAskedFor = this.#ops.isRetryAsked(found) && !this.#ops.isEndWanted(found);
    return state === 'Failed' && isAskedFor ? this.#startAttempt(found, signal) : undefined;
  }

  /** Nothing of it is under way: it has ended, rests between two attempts, or is gone. */
  forget({ name }: { readonly name: string }): void {
    this.#agentSilence.end(name);
    this.#storeSilence.end(name);
    this.#recorder.forget({ name });
    this.#admission.release({ kind: this.#ops.kind, name });
  }

  async #rest(found: Resource<Kind>, signal: AbortSignal): Promise<number | undefined> {
    if (this.#ops.isEndWanted(found)) return this.#recorder.cancelled(found, signal);
    const { nextAttemptAt } = statusOf(found);
    const isDue = nextAttemptAt === undefined || this.#ops.isRetryAsked(found);
    const left = isDue ? 0 : msOf(nextAttemptAt) - this.#context.clock.now();
    return left > 0 ? left : this.#startAttempt(found, signal);
  }

  async #startAttempt(found: Resource<Kind>, signal: AbortSignal): Promise<number | undefined> {
    const pause = this.#pauseAfterRefusal(found);
    if (pause > 0) return pause;
    let plan: RunPlan;
    try {
      plan = await this.#ops.plan(found);
    } catch (error) {
      if (!(error instanceof InvalidRequest)) throw error;
      return this.#recorder.failed(found, describeFailure(error));
    }
    const others = this.#admission.take(this.#refOf(found), plan.needs);
    if (others.length === 0) others.push(...(await this.#strangers(found, plan.agent, signal)));
    if (others.length > 0) {
      await this.#recorder.waits(found, others);
      return WAIT_MS;
    }
    const begun = await this.#recorder.begun(found, plan.patch);
    // An attempt before may have sealed it after it was believed lost.
    if (statusOf(begun).attempt > 1 && (await this.#recorder.rescued(begun, signal))) return undefined;
    return this.#followAttempt(begun, signal);
  }

  /** Does an agent that refused still do what others started? While it does, nobody else waits for this run. */
  async #strangers(found: Resource<Kind>, agent: string, signal: AbortSignal): Promise<string[]> {
    if (!this.#refusedAt.delete(found.name)) return [];
    try {
      const jobs = await this.#context.launcher.agent(agent).list({ signal });
      if (jobs.every(({ state }) => isEnded(state))) return [];
    } catch {
      // Whether it answers at all is found out by asking it to begin.
      signal.throwIfAborted();
      return [];
    }
    this.#refusedAt.set(found.name, this.#context.clock.elapsed());
    this.#admission.release(found);
    return [strangerAt(agent)];
  }

  #refOf({ kind, name, spec }: Resource<Kind>): RunRef {
    return 'service' in spec ? { kind, name, service: spec.service } : { kind, name };
  }

  #pauseAfterRefusal({ name }: Resource<Kind>): number {
    const at = this.#refusedAt.get(name);
    return at === undefined ? 0 : at + WAIT_MS - this.#context.clock.elapsed();
  }

  async #followAttempt(found: Resource<Kind>, signal: AbortSignal): Promise<number | undefined> {
    let job: Job;
    try {
      job = await this.#ask(found, signal);
    } catch (error) {
      signal.throwIfAborted();
      return this.#unheard(found, error, signal);
    }
    this.#agentSilence.end(found.name);
    const isTaken = statusOf(found).state === 'Starting' && !isEnded(job.state);
    return this.#see(isTaken ? await this.#recorder.running(found) : found, job, signal);
  }

  async #ask(found: Resource<Kind>, signal: AbortSignal): Promise<Job> {
    if (this.#ops.isEndWanted(found)) return this.#ops.cancel(found, signal);
    if (statusOf(found).state === 'Running') return this.#ops.get(found, signal);
    try {
      return await this.#ops.start(found, signal);
    } catch (error) {
      if (!(error instanceof Failure) || !knownCodes.has(error.code)) throw error;
      const known = await this.#ops.get(found, signal).catch(() => undefined);
      // An attempt before, believed lost, is let come to its end.
      const isAnother = error.code === 'busy' && known?.attempt !== statusOf(found).attempt;
      if (known === undefined || isAnother) throw error;
      return known;
    }
  }

  /** The agent did not answer, or not with the job. */
  async #unheard(found: Resource<Kind>, error: unknown, signal: AbortSignal): Promise<number | undefined> {
    const code = error instanceof Failure ? error.code : '';
    const agent = this.#ops.agentOf(found);
    if (code === 'no-such-job') return this.#failedPerhaps(found, forgottenByAgent(agent), signal);
    if (statusOf(found).state === 'Starting' && !this.#ops.isEndWanted(found)) {
      if (busyCodes.has(code)) return this.#refusedBy(found, agent);
      if (isPermanent(error)) return this.#recorder.failed(found, describeFailure(error));
    }
    if (this.#agentSilence.isTooLong(found.name))
      return this.#failedPerhaps(found, lostAgent(agent, this.#context.lostAfterMs, error), signal);
    await this.#recorder.waits(found, [silentAgent(agent, error)]);
    return SILENT_POLL_MS;
  }

  async #refusedBy(found: Resource<Kind>, agent: string): Promise<number> {
    await this.#recorder.held(found, [strangerAt(agent)]);
    this.#refusedAt.set(found.name, this.#context.clock.elapsed());
    return WAIT_MS;
  }

  async #see(found: Resource<Kind>, job: Job, signal: AbortSignal): Promise<number | undefined> {
    // Whichever attempt it was.
    if (job.state === 'Succeeded') return this.#confirm(found, job, signal);
    if (job.attempt < statusOf(found).attempt)
      return this.#failedPerhaps(found, forgottenByAgent(this.#ops.agentOf(found)), signal);
    if (!isEnded(job.state)) {
      await this.#recorder.progressed(found, progressOf(job));
      return POLL_MS;
    }
    if (job.state === 'Cancelled') return this.#recorder.cancelled(found, signal);
    const failure = job.failure ?? withoutReason();
    if (failure.code === 'already-settled') return this.#failedPerhaps(found, failure, signal);
    return this.#failed(found, failure, signal);
  }

  async #confirm(found: Resource<Kind>, job: Job, signal: AbortSignal): Promise<number | undefined> {
    try {
      const patch = await this.#ops.confirm(found, job, signal);
      return await this.#recorder.succeeded(found, patch);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Failure && error.code === 'changed-meanwhile') throw error;
      if (error instanceof NotGood)
        return this.#failed(found, { ...describeFailure(error), isPermanent: error.isFinal }, signal);
      if (this.#storeSilence.isTooLong(found.name)) return this.#failed(found, describeFailure(error), signal);
      await this.#recorder.waits(found, [silentStore(error)]);
      return WAIT_MS;
    }
  }

  /** What nobody can tell of may be good: the repository is looked into before. */
  async #failedPerhaps(found: Resource<Kind>, failure: JobFailure, signal: AbortSignal): Promise<number | undefined> {
    if (await this.#recorder.rescued(found, signal)) return undefined;
    return this.#failed(found, failure, signal);
  }

  async #failed(found: Resource<Kind>, failure: JobFailure, signal: AbortSignal): Promise<number | undefined> {
    if (this.#ops.isEndWanted(found)) return this.#recorder.cancelled(found, signal);
    return this.#recorder.failed(found, failure);
  }
}
