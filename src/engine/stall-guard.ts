import { type Clock, systemClock } from '../lib/clock.ts';
import type { LockLevel } from './lock-state.ts';

export interface StallGuardOptions {
  readonly limitMs: number;
  /** Called once, with how long the server was held up. */
  readonly onStall: (heldMs: number) => void;
  readonly clock?: Clock;
}

/**
 * Sees to it that a slow consumer never holds a server up. The time between handing out a batch and being asked for the
 * next is the consumer's. While the tool holds a lock, one such wait may last `limitMs`. While it blocks commits, all of them
 * together may, however the time is spread; and where most of the time is the consumer's, the tool's own time counts too, so that
 * no commit waits longer.
 */
export class StallGuard implements Disposable {
  readonly #options: StallGuardOptions;
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  #level: LockLevel = 'none';
  #lockedAt = 0;
  #handedOutAt: number | undefined;
  #spentInCommits = 0;
  #stalled = false;

  constructor(options: StallGuardOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timer = setInterval(() => this.#check(), lookEveryMs(options));
    this.#timer.unref();
  }

  lockChanged(level: LockLevel): void {
    this.#level = level;
    this.#lockedAt = this.#clock.elapsed();
    this.#spentInCommits = 0;
  }

  handedOut(): void {
    this.#handedOutAt = this.#clock.elapsed();
  }

  askedForMore(): void {
    this.#spentInCommits += this.#heldMs();
    this.#handedOutAt = undefined;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** How long the consumer has held the batch at hand since the lock of this level was taken. */
  #heldMs(): number {
    if (this.#level === 'none' || this.#handedOutAt === undefined) return 0;
    return this.#clock.elapsed() - Math.max(this.#handedOutAt, this.#lockedAt);
  }

  #check(): void {
    const held = this.#heldMs() + (this.#level === 'commits' ? this.#spentInCommits : 0);
    if (this.#stalled || Math.max(held, this.#commitsWaitMs(held)) < this.#options.limitMs - lookEveryMs(this.#options))
      return;
    this.#stalled = true;
    this.#options.onStall(held);
  }

  /** How long commits have waited, if it is the consumer that they wait for. */
  #commitsWaitMs(held: number): number {
    if (this.#level !== 'commits' || this.#handedOutAt === undefined) return 0;
    const waited = this.#clock.elapsed() - this.#lockedAt;
    return held > waited / 2 ? waited : 0;
  }
}

/** The limit is not passed between two looks. */
function lookEveryMs({ limitMs }: StallGuardOptions): number {
  return Math.max(5, Math.min(100, limitMs / 10));
}
