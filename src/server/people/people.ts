import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { isThere, systemFiles } from '../../core/placement-files.ts';
import type { Clock } from '../../lib/clock.ts';
import { PermanentFailure } from '../../lib/failure.ts';
import { FailedAttempts } from '../failed-attempts.ts';
import { Passwords } from './passwords.ts';
import type { PeopleDatabase } from './people-database.ts';
import type { Person } from './person.ts';
import { Sessions } from './sessions.ts';
import { ApiTokens } from './tokens.ts';
import { Users } from './users.ts';

export interface PeopleOptions {
  readonly database: PeopleDatabase;
  readonly clock: Pick<Clock, 'now' | 'elapsed'>;
  /** Holds the password that was made at the first start, until it is changed. */
  readonly initialPasswordFile: string;
}

export interface Credentials {
  /** Header `Authorization`. */
  readonly authorization: string | undefined;
  /** What the session's cookie holds. */
  readonly session: string | undefined;
  /** Where the request came from. */
  readonly address: string;
}

const firstUser = 'admin';

/** Who may use the manager: users with passwords and sessions, programs with tokens. */
export class People {
  readonly tokens: ApiTokens;
  readonly #options: PeopleOptions;
  readonly #users: Users;
  readonly #sessions: Sessions;
  readonly #passwords = new Passwords();
  readonly #wrongPasswords: FailedAttempts;
  readonly #wrongTokens: FailedAttempts;

  constructor(options: PeopleOptions) {
    const { database, clock } = options;
    this.#options = options;
    this.tokens = new ApiTokens(database, clock);
    this.#users = new Users(database);
    this.#sessions = new Sessions(database, clock);
    this.#wrongPasswords = new FailedAttempts(clock, 'password');
    this.#wrongTokens = new FailedAttempts(clock, 'token');
  }

  /**
   * Makes the user `admin` at the first start. Its password is written to its file first: a crash between the two makes
   * another one at the next start, and never a user whose password nobody knows.
   * @returns that file, while the password in it is the one that counts
   */
  async ensureFirstUser(): Promise<string | undefined> {
    const { initialPasswordFile: file } = this.#options;
    if (this.#users.isEmpty()) {
      const password = readablePassword();
      await systemFiles.writeDurably(file, `${password}\n`);
      this.#users.create({ name: firstUser, role: 'admin', password: await this.#passwords.hash(password) });
    }
    return (await isThere(file)) ? file : undefined;
  }

  /** Is the password of this person still the one that was made at the first start? */
  async hasInitialPassword({ name, means }: Person): Promise<boolean> {
    return name === firstUser && means.type === 'session' && (await isThere(this.#options.initialPasswordFile));
  }

  /** @throws PermanentFailure `not-authorised`; TooManyFailures; Failure `too-many-sign-ins` */
  async signIn(given: {
    readonly name: string;
    readonly password: string;
    readonly address: string;
  }): Promise<{ readonly person: Person; readonly session: string }> {
    await this.#check(given);
    const session = this.#sessions.begin(given.name);
    const person = this.#sessions.personOf(session);
    if (person === undefined) throw notAuthorised('this user is gone');
    return { person, session };
  }

  /** Undefined when nothing was shown, or a session that is over. @throws PermanentFailure `not-authorised` for a wrong token; TooManyFailures */
  personOf({ authorization, session, address }: Credentials): Person | undefined {
    if (authorization === undefined) return session === undefined ? undefined : this.#sessions.personOf(session);
    const token = /^Bearer +([\x21-\x7e]{1,1024}) *$/i.exec(authorization)?.[1];
    const person = token === undefined ? undefined : this.tokens.personOf(token);
    if (person !== undefined) return person;
    this.#wrongTokens.refuseIfTooMany(address);
    this.#wrongTokens.remember(address);
    throw notAuthorised('the token is not valid');
  }

  /** Is what a person showed when a long answer began still good? */
  isStillThere({ means }: Person): boolean {
    return means.type === 'token' || this.#sessions.isAlive(means.id);
  }

  signOut({ means }: Person): void {
    if (means.type === 'session') this.#sessions.end(means.id);
  }

  /** Ends all other sessions of that person. @throws PermanentFailure `not-allowed` for a token, `not-authorised` */
  async changePassword(
    { name, means }: Person,
    given: { readonly password: string; readonly newPassword: string; readonly address: string },
  ): Promise<void> {
    if (means.type === 'token')
      throw new PermanentFailure('not-allowed', 'Cannot change a password as the one who asks is a token', {
        nextStep: 'Sign in as the user whose password it is.',
      });
    await this.#check({ name, password: given.password, address: given.address });
    this.#users.setPassword(name, await this.#passwords.hash(given.newPassword), means.id);
    if (name === firstUser) await rm(this.#options.initialPasswordFile, { force: true });
  }

  async #check({
    name,
    password,
    address,
  }: {
    readonly name: string;
    readonly password: string;
    readonly address: string;
  }): Promise<void> {
    this.#wrongPasswords.refuseIfTooMany(address);
    // Counted before it is known, so that many at once from one address are no way around the limit.
    const undo = this.#wrongPasswords.remember(address);
    const isRight = await this.#passwords.isRight(password, this.#users.find(name)?.password);
    if (!isRight) throw notAuthorised('name or password is wrong');
    undo();
  }
}

export function notAuthorised(why: string): PermanentFailure {
  return new PermanentFailure('not-authorised', `Cannot answer this request as it is not known who asks: ${why}`, {
    nextStep: 'Sign in, or send the header `Authorization: Bearer <token>` with a token of this manager.',
  });
}

/** 100 bits in letters and digits that nobody takes for each other. */
function readablePassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const group = (): string => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
  return Array.from({ length: 4 }, group).join('-');
}
