import type { Clock } from '../lib/clock.ts';
import { Failure } from '../lib/failure.ts';

/** Wrong attempts from one address that are answered at once. */
const freeFailures = 5;
const maximumWaitMs = 60_000;
const forgetAfterMs = 10 * 60_000;
const maximumAddresses = 1_000;

interface Failures {
  count: number;
  last: number;
}

/** Too many wrong tokens or passwords; says when another one is looked at. */
export class TooManyFailures extends Failure {
  override name = 'TooManyFailures';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number, what = 'token') {
    super('too-many-failures', `Cannot look at this ${what} as too many wrong ones came from this address`, {
      nextStep: `Correct the ${what} and try again in ${retryAfterSeconds} s.`,
    });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Wrong tokens or passwords by address: after some, the wait for the next one doubles up to a minute. */
export class FailedAttempts {
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #what: string;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Pick<Clock, 'elapsed'>, what: 'token' | 'password') {
    this.#clock = clock;
    this.#what = what;
  }

  /** @throws TooManyFailures while the address must wait */
  refuseIfTooMany(address: string): void {
    const failures = this.#fresh(networkOf(address));
    if (failures === undefined || failures.count < freeFailures) return;
    const waitMs = Math.min(maximumWaitMs, 1_000 * 2 ** (failures.count - freeFailures));
    const leftMs = failures.last + waitMs - this.#clock.elapsed();
    if (leftMs > 0) throw new TooManyFailures(Math.ceil(leftMs / 1_000), this.#what);
  }

  /** @returns takes it back, for an attempt that turned out to be right */
  remember(from: string): () => void {
    const address = networkOf(from);
    const failures = { count: (this.#fresh(address)?.count ?? 0) + 1, last: this.#clock.elapsed() };
    this.#failures.delete(address);
    this.#failures.set(address, failures);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > maximumAddresses && oldest !== undefined) this.#failures.delete(oldest);
    return () => this.#takeBack(address);
  }

  #takeBack(address: string): void {
    const failures = this.#failures.get(address);
    if (failures !== undefined) failures.count -= 1;
  }

  #fresh(address: string): Failures | undefined {
    const failures = this.#failures.get(address);
    if (failures === undefined) return undefined;
    return this.#clock.elapsed() - failures.last < forgetAfterMs ? failures : undefined;
  }
}

/** Whoever has one address of IPv6 has 2^64 of them. Pure. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const groups = address.split(':').slice(0, 4);
  const gap = groups.indexOf('');
  return `${(gap < 0 ? groups : groups.slice(0, gap)).join(':')}::/64`;
}
