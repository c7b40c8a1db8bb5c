import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { Failure, PermanentFailure } from '../lib/failure.ts';

/** Wrong tokens from one address that are answered at once. */
const freeFailures = 5;
const maximumWaitMs = 60_000;
const forgetAfterMs = 10 * 60_000;
const maximumAddresses = 1_000;

interface Failures {
  count: number;
  last: number;
}

/** Too many wrong tokens; says when another one is looked at. */
export class TooManyFailures extends Failure {
  override name = 'TooManyFailures';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('too-many-failures', 'Cannot look at this token as too many wrong ones came from this address', {
      nextStep: `Correct the token and try again in ${retryAfterSeconds} s.`,
    });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * Compares bearer tokens in constant time. After some wrong ones from an address, further wrong ones are refused for a time
 * that doubles up to a minute. The right token always passes, so nobody can lock a client out from its own address.
 */
export class Authenticator {
  readonly #digest: Buffer;
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #failures = new Map<string, Failures>();

  constructor(token: string, clock: Pick<Clock, 'elapsed'>) {
    this.#digest = digestOf(token);
    this.#clock = clock;
  }

  /** @throws PermanentFailure `not-authorised`, TooManyFailures */
  check(header: string | undefined, address: string): void {
    const given = /^Bearer +([\x21-\x7e]{1,1024}) *$/i.exec(header ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digestOf(given), this.#digest)) return;
    this.#refuse(address);
    throw new PermanentFailure(
      'not-authorised',
      `Cannot answer this request as it has no valid token: ${given === undefined ? 'none was given' : 'it is another one'}`,
      {
        nextStep: "Send the header `Authorization: Bearer <token>` with the token from the agent's token file.",
      },
    );
  }

  #refuse(address: string): void {
    const now = this.#clock.elapsed();
    const before = this.#failures.get(address);
    const isFresh = before !== undefined && now - before.last < forgetAfterMs;
    const failures = isFresh ? before : { count: 0, last: now };
    const waitMs =
      failures.count < freeFailures ? 0 : Math.min(maximumWaitMs, 1_000 * 2 ** (failures.count - freeFailures));
    const leftMs = failures.last + waitMs - now;
    if (leftMs > 0) throw new TooManyFailures(Math.ceil(leftMs / 1_000));
    this.#remember(address, { count: failures.count + 1, last: now });
  }

  #remember(address: string, failures: Failures): void {
    this.#failures.delete(address);
    this.#failures.set(address, failures);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > maximumAddresses && oldest !== undefined) this.#failures.delete(oldest);
  }
}

/** Of equal length for any two tokens. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
