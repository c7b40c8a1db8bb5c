import type { ManagerEvent } from '../api/events.ts';
import type { Clock } from '../lib/clock.ts';

export interface EventHubOptions {
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
  /** Things of which one subscriber may have news that it did not take; more and it must read all again. Default 1,000. */
  readonly limit?: number;
}

const defaultLimit = 1_000;
const heartbeatMs = 15_000;
/** A browser that takes nothing for so long is dropped. */
const stalledMs = 30_000;
/** News of one thing within this time are one. */
const gatherMs = 100;

/** Tells every subscriber what changes. Nothing is kept for one that does not listen but the latest of each thing. */
export class EventHub {
  readonly #options: EventHubOptions;
  readonly #subscribers = new Set<Subscriber>();

  constructor(options: EventHubOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#subscribers.size;
  }

  /** Never waits. */
  tell(event: ManagerEvent): void {
    const now = this.#options.clock.elapsed();
    for (const subscriber of this.#subscribers) subscriber.push(event, now);
  }

  /**
   * What happens from now on: an empty list at once, from which on nothing is missed, and after each 15 seconds in which nothing
   * happened. Ends when the signal aborts; when what it gave was not taken for 30 seconds, `onStalled` is told and nothing is
   * gathered any more.
   */
  async *subscribe({
    signal,
    onStalled,
  }: {
    readonly signal: AbortSignal;
    readonly onStalled: () => void;
  }): AsyncGenerator<readonly ManagerEvent[], void, undefined> {
    const { clock, limit = defaultLimit } = this.#options;
    const subscriber = new Subscriber(limit, onStalled);
    this.#subscribers.add(subscriber);
    const end = (): void => subscriber.end();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      yield [];
      while (!subscriber.isEnded) {
        await subscriber.wait(clock, heartbeatMs);
        await clock.sleep(gatherMs);
        if (subscriber.isEnded) return;
        subscriber.givenAt = clock.elapsed();
        yield subscriber.take();
        subscriber.givenAt = undefined;
      }
    } finally {
      signal.removeEventListener('abort', end);
      this.#subscribers.delete(subscriber);
    }
  }
}

class Subscriber {
  readonly #limit: number;
  readonly #onStalled: () => void;
  #waiting = new Map<string, ManagerEvent>();
  #wake = Promise.withResolvers<void>();
  #isEnded = false;
  /** When what was given last was given, until it is taken. */
  givenAt: number | undefined;

  constructor(limit: number, onStalled: () => void) {
    this.#limit = limit;
    this.#onStalled = onStalled;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  push(event: ManagerEvent, now: number): void {
    if (this.givenAt !== undefined && now - this.givenAt > stalledMs) {
      this.end();
      this.#onStalled();
    }
    this.#wake.resolve();
    // Whoever reads all again learns of everything else, too.
    if (this.#waiting.has('resync')) return;
    const isTooMuch = this.#waiting.size >= this.#limit && !this.#waiting.has(keyOf(event));
    const kept: ManagerEvent = isTooMuch ? { type: 'resync' } : event;
    if (kept.type === 'resync') this.#waiting = new Map();
    this.#waiting.set(keyOf(kept), kept);
  }

  take(): readonly ManagerEvent[] {
    const events = [...this.#waiting.values()];
    this.#waiting = new Map();
    this.#wake = Promise.withResolvers();
    return events;
  }

  async wait(clock: Pick<Clock, 'sleep'>, limitMs: number): Promise<void> {
    const waking = new AbortController();
    const timeout = clock.sleep(limitMs, { signal: waking.signal }).catch(() => undefined);
    await Promise.race([this.#wake.promise, timeout]);
    waking.abort();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake.resolve();
  }
}

function keyOf(event: ManagerEvent): string {
  return event.type === 'resync' ? 'resync' : `${event.type} ${event.kind} ${event.name}`;
}
