import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SecretStore } from '../../control/secrets.ts';
import type { Clock } from '../../lib/clock.ts';
import { PermanentFailure } from '../../lib/failure.ts';
import { FailedAttempts } from '../../server/failed-attempts.ts';

/** Under it the manager keeps two secrets of each agent: the digest of its credential, and the token it is asked with. */
const kind = 'Agent';
const prefix = 'hfa_';

/** How agents show who they are. The credential tells the name, so that nothing need be searched. */
export class AgentCredentials {
  readonly #secrets: SecretStore;
  readonly #failures: FailedAttempts;
  /** Heartbeats come often; the store decrypts what it reads. */
  readonly #digests = new Map<string, string>();

  constructor(secrets: SecretStore, clock: Pick<Clock, 'elapsed'>) {
    this.#secrets = secrets;
    this.#failures = new FailedAttempts(clock, 'token');
  }

  /** Makes a new credential for an agent; the one before counts no more. */
  async issue(name: string, agentToken: string): Promise<string> {
    const credential = `${prefix}${Buffer.from(name).toString('base64url')}.${randomBytes(32).toString('base64url')}`;
    const credentialDigest = hash('sha256', credential);
    await this.#secrets.set(kind, name, { credentialDigest, agentToken });
    this.#digests.set(name, credentialDigest);
    return credential;
  }

  /** With which the manager asks the agent; undefined where it never joined. */
  async agentToken(name: string): Promise<string | undefined> {
    return (await this.#secrets.get(kind, name))['agentToken'];
  }

  /** The agent is no more. */
  forget(name: string): void {
    this.#digests.delete(name);
  }

  /**
   * Whose request is it?
   * @param header `Authorization`
   * @throws PermanentFailure `not-authorised`; TooManyFailures
   */
  async check(header: string | undefined, address: string): Promise<string> {
    const known = this.known(header);
    if (known !== undefined) return known;
    // The store is asked only as often as wrong ones may be tried.
    this.#failures.refuseIfTooMany(address);
    const { name, credential } = givenBy(header) ?? {};
    if (name !== undefined && credential !== undefined && (await this.#isStored(name, credential))) return name;
    this.#failures.refuseIfTooMany(address);
    this.#failures.remember(address);
    throw notAuthorised();
  }

  /** Whose request it is, as far as that shows without the store; undefined says nothing. */
  known(header: string | undefined): string | undefined {
    const given = givenBy(header);
    const digest = given === undefined ? undefined : this.#digests.get(given.name);
    return given !== undefined && digest !== undefined && isSame(digest, given.credential) ? given.name : undefined;
  }

  async #isStored(name: string, given: string): Promise<boolean> {
    const { credentialDigest } = await this.#secrets.get(kind, name);
    if (credentialDigest === undefined || !isSame(credentialDigest, given)) return false;
    this.#digests.set(name, credentialDigest);
    return true;
  }
}

interface Given {
  readonly name: string;
  readonly credential: string;
}

function givenBy(header: string | undefined): Given | undefined {
  const credential = /^Bearer +(hfa_[A-Za-z0-9_-]{1,200}\.[A-Za-z0-9_-]{1,200}) *$/i.exec(header ?? '')?.[1];
  if (credential === undefined) return undefined;
  const [encoded = ''] = credential.slice(prefix.length).split('.');
  const name = Buffer.from(encoded, 'base64url').toString('utf8');
  return /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/.test(name) ? { name, credential } : undefined;
}

function isSame(digest: string, credential: string): boolean {
  return timingSafeEqual(Buffer.from(digest), Buffer.from(hash('sha256', credential)));
}

function notAuthorised(): PermanentFailure {
  return new PermanentFailure(
    'not-authorised',
    'Cannot answer this agent as it is not known here: it was removed, or joined again elsewhere',
    { nextStep: 'Make a join token in the manager and run `holdfast agent join` on its host.' },
  );
}
