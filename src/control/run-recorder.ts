import { isDeepStrictEqual } from 'node:util';
import type { JobFailure, JobProgress } from '../api/jobs.ts';
import type { Resource, RunKind, StatusOf } from '../api/resources.ts';
import { isoTime, msOf } from '../lib/clock.ts';
import { Failure } from '../lib/failure.ts';
import type { ControlContext } from './context.ts';
import { pauseBeforeRetry } from './retry.ts';
import type { RunOps, StatusPatch } from './run-ops.ts';
import { begin, cancel, fail, hold, run, type RunStatus, succeed } from './run-states.ts';

/** How often the progress of a run enters the catalog. */
const RECORD_MS = 10_000;

/** Writes what becomes of runs of one kind into the catalog; each write is one step of the table of states. */
export class RunRecorder<Kind extends RunKind> {
  readonly #ops: RunOps<Kind>;
  readonly #context: ControlContext;
  /** Told of runs of which nothing is under way any more. */
  readonly #onRest: (run: Resource<Kind>) => void;
  /** When the progress of a run was last recorded. */
  readonly #recordedAt = new Map<string, number>();

  constructor(ops: RunOps<Kind>, context: ControlContext, onRest: (run: Resource<Kind>) => void) {
    this.#ops = ops;
    this.#context = context;
    this.#onRest = onRest;
  }

  forget({ name }: { readonly name: string }): void {
    this.#recordedAt.delete(name);
    this.#context.progress.forget(this.#ops.kind, name);
  }

  async begun(found: Resource<Kind>, patch: StatusPatch): Promise<Resource<Kind>> {
    return this.#save(found, begin(statusOf(found), this.#now()), patch);
  }

  async running(found: Resource<Kind>): Promise<Resource<Kind>> {
    return this.#save(found, run(statusOf(found)));
  }

  /** The agent does something else: the attempt has not begun. */
  async held(found: Resource<Kind>, waitingFor: readonly string[]): Promise<void> {
    await this.#save(found, hold(statusOf(found), waitingFor));
    this.#onRest(found);
  }

  /** Says whom it waits for; nothing is written when that was said already, or other words for it a moment ago. */
  async waits(found: Resource<Kind>, waitingFor: string[]): Promise<void> {
    const status = statusOf(found);
    if (isDeepStrictEqual(status.waitingFor, waitingFor)) return;
    if (status.waitingFor.length === waitingFor.length && !this.#isDue(found)) return;
    await this.#save(found, { ...status, waitingFor });
    this.#recordedAt.set(found.name, this.#context.clock.elapsed());
  }

  async progressed(found: Resource<Kind>, progress: JobProgress): Promise<void> {
    const { kind, name } = found;
    this.#context.progress.tell({ kind, name, progress });
    const status = statusOf(found);
    if (!this.#isDue(found) && status.waitingFor.length === 0) return;
    await this.#save(found, { ...status, progress, waitingFor: [] });
    this.#recordedAt.set(name, this.#context.clock.elapsed());
  }

  #isDue({ name }: Resource<Kind>): boolean {
    const last = this.#recordedAt.get(name);
    return last === undefined || this.#context.clock.elapsed() - last >= RECORD_MS;
  }

  async succeeded(found: Resource<Kind>, patch: StatusPatch): Promise<undefined> {
    await this.#save(found, succeed(statusOf(found), this.#now()), patch);
    this.#onRest(found);
    return undefined;
  }

  /** @returns how long until the next attempt, if there is one */
  async failed(found: Resource<Kind>, failure: JobFailure): Promise<number | undefined> {
    const status = statusOf(found);
    const { policy, taken } = this.#ops.retry(found);
    const pause = pauseBeforeRetry({ retry: policy, attempts: status.attempt, retriesTaken: taken, failure });
    const at = this.#now();
    const next = pause === undefined ? undefined : isoTime(msOf(at) + pause);
    await this.#save(found, fail(status, { at, failure, next }));
    this.#onRest(found);
    return pause;
  }

  async cancelled(found: Resource<Kind>, signal: AbortSignal): Promise<undefined> {
    // Whatever still runs somewhere must not seal it later. A store that does not answer keeps nobody from cancelling.
    const sealed = statusOf(found).attempt === 0 ? undefined : await this.#look(found, 'giveUp', signal);
    if (sealed !== undefined) return this.succeeded(found, sealed);
    await this.#save(found, cancel(statusOf(found), this.#now()));
    this.#onRest(found);
    return undefined;
  }

  /** Is it good although nobody says so? What cannot be looked up now is, before or in the next attempt. */
  async rescued(found: Resource<Kind>, signal: AbortSignal): Promise<boolean> {
    const patch = await this.#look(found, 'rescue', signal);
    if (patch !== undefined) await this.succeeded(found, patch);
    return patch !== undefined;
  }

  async #look(found: Resource<Kind>, how: 'rescue' | 'giveUp', signal: AbortSignal): Promise<StatusPatch | undefined> {
    try {
      return await this.#ops[how](found, signal);
    } catch (error) {
      signal.throwIfAborted();
      const isNothingThere = error instanceof Failure && error.code === 'not-a-repository';
      const what = `The repository of ${found.kind} ${found.name} cannot be looked into`;
      if (!isNothingThere) this.#context.onTrouble(what, error);
      return undefined;
    }
  }

  async #save(found: Resource<Kind>, status: RunStatus, patch: StatusPatch = {}): Promise<Resource<Kind>> {
    // The status of one kind with more of the same kind; the catalog checks it.
    const complete = { ...status, ...patch } as unknown as StatusOf<Kind>;
    return this.#context.catalog.replace({ ...found, status: complete });
  }

  #now(): string {
    return isoTime(this.#context.clock.now());
  }
}

/** What all kinds have. */
export function statusOf<Kind extends RunKind>({ status }: Resource<Kind>): RunStatus {
  return status;
}
