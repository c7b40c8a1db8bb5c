import type { Clock } from '../lib/clock.ts';
import { Failure } from '../lib/failure.ts';

export interface QueueOptions {
  /** Works on a key. @returns after how many milliseconds it wants to be worked on again, or undefined for never */
  readonly work: (key: string, signal: AbortSignal) => Promise<number | undefined>;
  /** Keys worked on at once. */
  readonly workers: number;
  readonly clock: Clock;
  readonly onTrouble: (message: string, error?: unknown) => void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;
/** Before a key that changed while it was worked on comes again: work that changes its own resource must not spin. */
const CHANGED_PAUSE_MS = 20;

/**
 * Keys to be worked on. One key is worked on once at a time: added meanwhile, it comes again afterwards. Work that fails
 * comes again after 1 second, then 2, and so on up to 5 minutes. A wish to come later is forgotten when the key comes
 * earlier, as the work decides anew.
 */
export class WorkQueue implements AsyncDisposable {
  readonly #options: QueueOptions;
  readonly #ready = new Set<string>();
  readonly #working = new Map<string, Promise<void>>();
  readonly #dirty = new Set<string>();
  readonly #timers = new Map<string, AbortController>();
  readonly #failures = new Map<string, number>();
  readonly #ending = new AbortController();
  #isStarted = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Keys can be added before. */
  start(): void {
    this.#isStarted = true;
    this.#fill();
  }

  add(key: string): void {
    if (this.#ending.signal.aborted) return;
    if (this.#working.has(key)) this.#dirty.add(key);
    else this.#ready.add(key);
    this.#fill();
  }

  addAfter(key: string, ms: number): void {
    this.#cancelTimer(key);
    if (ms <= 0) return this.add(key);
    const timer = new AbortController();
    this.#timers.set(key, timer);
    this.#options.clock.sleep(ms, { signal: timer.signal }).then(
      () => {
        if (this.#timers.get(key) === timer) this.#timers.delete(key);
        this.add(key);
      },
      () => undefined,
    );
  }

  /** Aborts what is under way and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Failure('control-stopped', 'Cannot go on as the manager stops'));
    for (const key of this.#timers.keys()) this.#cancelTimer(key);
    this.#ready.clear();
    await Promise.all(this.#working.values());
  }

  #fill(): void {
    if (!this.#isStarted) return;
    for (const key of this.#ready) {
      if (this.#working.size >= this.#options.workers) return;
      this.#ready.delete(key);
      this.#cancelTimer(key);
      this.#working.set(key, this.#work(key));
    }
  }

  async #work(key: string): Promise<void> {
    const pause = await this.#pauseAfterWork(key);
    this.#working.delete(key);
    if (this.#ending.signal.aborted) return;
    const hasFailed = this.#failures.has(key);
    if (this.#dirty.delete(key)) this.addAfter(key, hasFailed ? FIRST_PAUSE_MS : CHANGED_PAUSE_MS);
    else if (pause !== undefined) this.addAfter(key, pause);
    this.#fill();
  }

  async #pauseAfterWork(key: string): Promise<number | undefined> {
    const { work, onTrouble } = this.#options;
    try {
      // Whoever adds a key is not the one who works on it.
      await Promise.resolve();
      this.#dirty.delete(key);
      const pause = await work(key, this.#ending.signal);
      this.#failures.delete(key);
      return pause;
    } catch (error) {
      if (this.#ending.signal.aborted) return undefined;
      if (error instanceof Failure && error.code === 'changed-meanwhile') return CHANGED_PAUSE_MS;
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      onTrouble(`The work on ${key} failed and is tried again in ${pause / 1000} s`, error);
      return pause;
    }
  }

  #cancelTimer(key: string): void {
    this.#timers.get(key)?.abort();
    this.#timers.delete(key);
  }
}
