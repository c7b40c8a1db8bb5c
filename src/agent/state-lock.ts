import { lockDirectory } from '../lib/single-instance.ts';
import type { Jobs } from './jobs.ts';

/** Keeps other agents from a state directory for as long as this one may write to what it tells of: no second one recovers what goes on. */
export class StateLock implements AsyncDisposable {
  readonly #lock: AsyncDisposable;
  #jobs: Pick<Jobs, 'isBusy' | 'ended'> | undefined;

  private constructor(lock: AsyncDisposable) {
    this.#lock = lock;
  }

  /** @throws Conflict `agent-already-runs` */
  static async take(directory: string): Promise<StateLock> {
    return new StateLock(await lockDirectory(directory, 'agent'));
  }

  keepFor(jobs: Pick<Jobs, 'isBusy' | 'ended'>): void {
    this.#jobs = jobs;
  }

  /** Waits for no job. Where one goes on it is released after that, or with the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#jobs?.isBusy === true) void this.#releaseAfter(this.#jobs);
    else await this.#lock[Symbol.asyncDispose]();
  }

  async #releaseAfter(jobs: Pick<Jobs, 'ended'>): Promise<void> {
    await jobs.ended();
    await this.#lock[Symbol.asyncDispose]();
  }
}
