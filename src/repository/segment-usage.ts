import type { AttemptName } from './names.ts';
import { segmentName } from './names.ts';

/**
 * Counts what the backup that is being written refers to. Most of it are segments of the attempt itself, a hundred thousand and
 * more for a large database: they are kept by their number, as names would take ten times the memory.
 */
export class SegmentUsage {
  readonly #attempt: AttemptName;
  readonly #prefix: string;
  readonly #own: number[] = [];
  readonly #others = new Map<string, number>();

  constructor(attempt: AttemptName) {
    this.#attempt = attempt;
    this.#prefix = segmentName(attempt, 0).replace(/0+$/, '');
  }

  add(segment: string, bytes: number): void {
    const number = this.ownNumber(segment);
    if (number === undefined) this.#others.set(segment, (this.#others.get(segment) ?? 0) + bytes);
    else this.#own[number] = (this.#own[number] ?? 0) + bytes;
  }

  /** The number of a segment of this attempt; undefined for another one's. */
  ownNumber(segment: string): number | undefined {
    return segment.startsWith(this.#prefix) ? Number(segment.slice(this.#prefix.length)) : undefined;
  }

  /** The last segment of this attempt that is used; 0 for none. */
  get lastOwn(): number {
    return Math.max(0, this.#own.length - 1);
  }

  /** By segment, in order of their names; of this attempt's those up to this number. */
  *upTo(lastOwn: number): Generator<readonly [string, number]> {
    const others = [...this.#others].toSorted(([a], [b]) => (a < b ? -1 : 1));
    yield* others.filter(([name]) => name < this.#prefix);
    yield* this.#ownBetween(1, lastOwn);
    yield* others.filter(([name]) => name > this.#prefix);
  }

  /** Of this attempt's segments those behind this number. */
  after(lastOwn: number): Generator<readonly [string, number]> {
    return this.#ownBetween(lastOwn + 1, this.lastOwn);
  }

  *#ownBetween(first: number, last: number): Generator<readonly [string, number]> {
    for (let number = first; number <= last; number += 1) {
      const used = this.#own[number];
      if (used !== undefined) yield [segmentName(this.#attempt, number), used];
    }
  }
}
