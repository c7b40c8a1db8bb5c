import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
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

/** Among the secrets, by the part of the token that is no secret. */
const kind = 'JoinToken';
const placeBefore = ['Manager', 'join-tokens'] as const;
/** That wait to be used. */
const maximumTokens = 1_000;

interface Waiting {
  readonly expiresAtMs: number;
  readonly isUsed: boolean;
}

/** Tokens with which an agent joins, once. They are kept as digests, and forgotten when they have expired. */
export class JoinTokens {
  readonly #secrets: SecretStore;
  readonly #clock: Pick<Clock, 'now'>;
  /** What there is; read from the store when it is needed first. */
  #all: Map<string, Waiting> | undefined;
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
    await this.#inTurn(async (all) => {
      if ([...all.values()].filter(({ isUsed }) => !isUsed).length >= maximumTokens) throw tooMany();
      await this.#write(id, {
        digest: hash('sha256', secret),
        expiresAt,
        ...(replaces === undefined ? {} : { replaces }),
      });
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
    return this.#inTurn(async (all) => {
      const record = all.has(id) ? await this.#read(id) : undefined;
      if (record === undefined || !isSame(hash('sha256', secret), record.digest))
        throw refused('it is not known, or expired');
      if (record.usedFor !== undefined && record.usedFor !== digest) throw refused('it was used before');
      const redemption = { isRepeated: record.usedFor === digest, replaces: record.replaces };
      await check(redemption);
      await this.#write(id, { ...record, usedFor: digest });
      return redemption;
    });
  }

  /** One after the other, on what has not expired. */
  async #inTurn<Result>(work: (all: ReadonlyMap<string, Waiting>) => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(async () => work(await this.#unexpired()));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #unexpired(): Promise<Map<string, Waiting>> {
    this.#all ??= await this.#readAll();
    const now = this.#clock.now();
    for (const [id, { expiresAtMs }] of this.#all) {
      if (expiresAtMs > now) continue;
      await this.#secrets.remove(kind, id);
      this.#all.delete(id);
    }
    return this.#all;
  }

  async #readAll(): Promise<Map<string, Waiting>> {
    await this.#takeOver();
    const all = new Map<string, Waiting>();
    for (const id of await this.#secrets.names(kind)) {
      const record = await this.#read(id);
      if (record !== undefined) all.set(id, waitingOf(record));
    }
    return all;
  }

  /** Those of a manager of version 0.1.0, which kept all in one record. */
  async #takeOver(): Promise<void> {
    const old = Object.entries(await this.#secrets.get(...placeBefore));
    if (old.length === 0) return;
    for (const [id, text] of old) await this.#write(id, recordSchema.parse(JSON.parse(text)));
    await this.#secrets.remove(...placeBefore);
  }

  async #read(id: string): Promise<JoinRecord | undefined> {
    const { record } = await this.#secrets.get(kind, id);
    return record === undefined ? undefined : recordSchema.parse(JSON.parse(record));
  }

  async #write(id: string, record: JoinRecord): Promise<void> {
    await this.#secrets.set(kind, id, { record: JSON.stringify(record) });
    this.#all?.set(id, waitingOf(record));
  }
}

function waitingOf({ expiresAt, usedFor }: JoinRecord): Waiting {
  return { expiresAtMs: msOf(expiresAt), isUsed: usedFor !== undefined };
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
