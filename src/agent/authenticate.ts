import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { PermanentFailure } from '../lib/failure.ts';
import { FailedAttempts } from '../server/failed-attempts.ts';

/**
 * Compares bearer tokens in constant time. After some wrong ones from an address, further wrong ones are refused for a time
 * that doubles up to a minute. The right token always passes, so nobody can lock a client out from its own address.
 */
export class Authenticator {
  readonly #digest: Buffer;
  readonly #failures: FailedAttempts;

  constructor(token: string, clock: Pick<Clock, 'elapsed'>) {
    this.#digest = digestOf(token);
    this.#failures = new FailedAttempts(clock, 'token');
  }

  /** @throws PermanentFailure `not-authorised`, TooManyFailures */
  check(header: string | undefined, address: string): void {
    const given = /^Bearer +([\x21-\x7e]{1,1024}) *$/i.exec(header ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digestOf(given), this.#digest)) return;
    this.#failures.refuseIfTooMany(address);
    this.#failures.remember(address);
    throw new PermanentFailure(
      'not-authorised',
      `Cannot answer this request as it has no valid token: ${given === undefined ? 'none was given' : 'it is another one'}`,
      {
        nextStep: "Send the header `Authorization: Bearer <token>` with the token from the agent's token file.",
      },
    );
  }
}

/** Of equal length for any two tokens. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
