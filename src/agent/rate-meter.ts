import type { Clock } from '../lib/clock.ts';

const windowMs = 30_000;
/** A rate over less than this says more about chance than about the job. */
const leastMs = 3_000;
/** Samples nearer to each other than this are one. */
const grainMs = 500;

interface Sample {
  readonly at: number;
  readonly bytes: number;
}

/** How fast a count of bytes grows, and when it will reach what is expected, over a window that slides. */
export class RateMeter {
  readonly #clock: Pick<Clock, 'elapsed'>;
  #samples: Sample[] = [];
  #last: Sample | undefined;

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  /** A count that is smaller than before begins anew, as in another step. */
  add(bytes: number): void {
    const sample = { at: this.#clock.elapsed(), bytes };
    if (this.#last !== undefined && bytes < this.#last.bytes) this.reset();
    this.#last = sample;
    const previous = this.#samples.at(-1);
    if (previous !== undefined && sample.at - previous.at < grainMs) return;
    this.#samples.push(sample);
    this.#dropOld(sample.at);
  }

  reset(): void {
    this.#samples = [];
    this.#last = undefined;
  }

  /** Bytes per second up to now, so that a stall shows; undefined until it can be told. */
  ratePerSecond(): number | undefined {
    const now = this.#clock.elapsed();
    this.#dropOld(now);
    const [first] = this.#samples;
    if (first === undefined || this.#last === undefined || now - first.at < leastMs) return undefined;
    return ((this.#last.bytes - first.bytes) * 1000) / (now - first.at);
  }

  /** Seconds until `expected` bytes; undefined where nothing moves or more came than was expected. */
  etaSeconds(expected: number | undefined): number | undefined {
    const rate = this.ratePerSecond();
    if (expected === undefined || rate === undefined || rate <= 0 || this.#last === undefined) return undefined;
    const left = expected - this.#last.bytes;
    return left < 0 ? undefined : Math.round(left / rate);
  }

  /** Keeps one sample from before the window, so that it is always covered whole. */
  #dropOld(now: number): void {
    const inside = this.#samples.findIndex(({ at }) => at > now - windowMs);
    const keepFrom = inside === -1 ? this.#samples.length - 1 : inside - 1;
    if (keepFrom > 0) this.#samples.splice(0, keepFrom);
  }
}
