import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { formatJoinToken } from '../../api/enrol.ts';
import type { SecretStore } from '../../control/secrets.ts';
import { type Clock, isoTime, msOf } from '../../lib/clock.ts';
import { Conflict, InvalidRequest, PermanentFailure } from '../../lib/failure.ts';

const recordSchema = z.object({
  digest: z.string(),
  expiresAt: z.iso.datetime(),
  /** The agent that may join again with it. */
  replaces: z.string().optional(),
  /** Digest of the request that it was used for. */
  usedFor: z.string().optional(),
});
type JoinRecord = z.output<typeof recordSchema>;

export interface JoinTokenWish {
  readonly validSeconds: number;
  /** An agent that is there already may join again under its name: its host was replaced, or it lost its state. */
  readonly replaces?: string | undefined;
  /** Where agents reach the manager, and what its certificate is. */
  readonly url: string;
  readonly fingerprint?: string | undefined;
}

export interface Redemption {
  /** What was made for this very request before, so that it is made again rather than refused. */
  readonly isRepeated: boolean;
  readonly replaces: string | undefined;
}

/** Where they are among the secrets; each is a name of the record. */
const place = ['Manager', 'join-tokens'] as const;
const maximumTokens = 1_000;

/** Tokens with which an agent joins, once. They are kept as digests, and forgotten when they have expired. */
export class JoinTokens {
  readonly #secrets: SecretStore;
  readonly #clock: Pick<Clock, 'now'>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(secrets: SecretStore, clock: Pick<Clock, 'now'>) {
    this.#secrets = secrets;
    this.#clock = clock;
  }

  /** @throws Conflict `too-many-join-tokens` */
  async create({
    validSeconds,
    replaces,
    url,
    fingerprint,
  }: JoinTokenWish): Promise<{ token: string; expiresAt: string }> {
    const id = randomBytes(6).toString('hex');
    const secret = `${id}.${randomBytes(32).toString('base64url')}`;
    const expiresAt = isoTime(this.#clock.now() + validSeconds * 1_000);
    await this.#change((records) => {
      if (records.size >= maximumTokens) throw tooMany();
      records.set(id, { digest: hash('sha256', secret), expiresAt, ...(replaces === undefined ? {} : { replaces }) });
    });
    const pin = fingerprint === undefined ? {} : { fingerprint };
    return { token: formatJoinToken({ url, ...pin, secret }), expiresAt };
  }

  /**
   * Uses a token up for one request. The same request again finds it used for itself.
   * @param check told what the token is for, before it is used up; what it throws leaves it as it is
   * @throws PermanentFailure `join-token-refused`
   */
  async redeem(secret: string, request: string, check: (redemption: Redemption) => Promise<void>): Promise<Redemption> {
    const id = secret.split('.')[0] ?? '';
    const digest = hash('sha256', request);
    return this.#change(async (records) => {
      const record = records.get(id);
      if (record === undefined || !isSame(hash('sha256', secret), record.digest))
        throw refused('it is not known, or expired');
      if (record.usedFor !== undefined && record.usedFor !== digest) throw refused('it was used before');
      const redemption = { isRepeated: record.usedFor === digest, replaces: record.replaces };
      await check(redemption);
      records.set(id, { ...record, usedFor: digest });
      return redemption;
    });
  }

  /** One after the other, on what has not expired. */
  async #change<Result>(work: (records: Map<string, JoinRecord>) => Promise<Result> | Result): Promise<Result> {
    const turn = this.#last.then(async () => {
      const records = await this.#read();
      const result = await work(records);
      await this.#secrets.set(
        ...place,
        Object.fromEntries([...records].map(([id, each]) => [id, JSON.stringify(each)])),
      );
      return result;
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #read(): Promise<Map<string, JoinRecord>> {
    const now = this.#clock.now();
    const records = Object.entries(await this.#secrets.get(...place)).map(([id, text]): [string, JoinRecord] => [
      id,
      recordSchema.parse(JSON.parse(text)),
    ]);
    return new Map(records.filter(([, { expiresAt }]) => msOf(expiresAt) > now));
  }
}

function isSame(left: string, right: string): boolean {
  return timingSafeEqual(Buffer.from(left), Buffer.from(right));
}

function refused(why: string): PermanentFailure {
  return new PermanentFailure('join-token-refused', `Cannot let this agent join as its token is not good: ${why}`, {
    nextStep: 'Make a new one in the manager: Agents, Add an agent.',
  });
}

function tooMany(): Conflict {
  return new Conflict(
    'too-many-join-tokens',
    `Cannot make another join token as ${maximumTokens} wait to be used: the oldest ones expire by themselves`,
    { nextStep: 'Use those that were made, or wait.' },
  );
}

/** @throws InvalidRequest `join-token-for-another` */
export function refuseOtherName(name: string, replaces: string | undefined): void {
  if (replaces === undefined || replaces === name) return;
  throw new InvalidRequest(
    'join-token-for-another',
    `Cannot let the agent ${name} join as its token is for another one: ${replaces}`,
    { nextStep: `Join as ${replaces}, or make a token without a name.` },
  );
}
