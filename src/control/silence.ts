import type { Clock } from '../lib/clock.ts';

/** Since when something was asked and did not answer, by name; only of this process's life. */
export class Silence {
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #limitMs: number;
  readonly #since = new Map<string, number>();

  constructor(clock: Pick<Clock, 'elapsed'>, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Notes that it is silent. @returns whether it has been for too long */
  isTooLong(name: string): boolean {
    const since = this.#since.get(name) ?? this.#clock.elapsed();
    this.#since.set(name, since);
    return this.#clock.elapsed() - since > this.#limitMs;
  }

  end(name: string): void {
    this.#since.delete(name);
  }
}
