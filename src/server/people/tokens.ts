import * as z from 'zod';
import { type Role, roleSchema } from '../../api/route-kit.ts';
import { type Clock, isoTime, msOf } from '../../lib/clock.ts';
import { Conflict, InvalidRequest } from '../../lib/failure.ts';
import { digestOf, newSecret, type PeopleDatabase } from './people-database.ts';
import type { Person } from './person.ts';

export interface ApiToken {
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
  readonly lastUsedAt?: string;
}

const prefix = 'hf_';
/** How exactly it is known when one was used last. */
const touchEveryMs = 60_000;

const rowSchema = z.object({
  name: z.string(),
  role: roleSchema,
  created_at: z.string(),
  used_at: z.string().nullable(),
});

/** What programs show to be let in. Only digests are kept. */
export class ApiTokens {
  readonly #database: PeopleDatabase;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(database: PeopleDatabase, clock: Pick<Clock, 'now'>) {
    this.#database = database;
    this.#clock = clock;
  }

  list(): ApiToken[] {
    const rows = this.#database.use((raw) =>
      raw.prepare('SELECT name, role, created_at, used_at FROM tokens ORDER BY name').all(),
    );
    return rows.map((row) => {
      const { name, role, created_at: createdAt, used_at: usedAt } = rowSchema.parse(row);
      return { name, role, createdAt, ...(usedAt === null ? {} : { lastUsedAt: usedAt }) };
    });
  }

  /** @returns the token, which nothing tells again. @throws Conflict `name-taken` */
  create(name: string, role: Role): string {
    const token = `${prefix}${newSecret()}`;
    const { changes } = this.#database.transaction((raw) =>
      raw
        .prepare(
          'INSERT INTO tokens (name, role, digest, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING',
        )
        .run(name, role, digestOf(token), isoTime(this.#clock.now())),
    );
    if (changes === 1) return token;
    throw new Conflict('name-taken', `Cannot make the token ${name} as there is one of that name already`, {
      nextStep: 'Choose another name, or revoke that one first.',
    });
  }

  /** @throws InvalidRequest `no-such-token` */
  remove(name: string): void {
    const { changes } = this.#database.transaction((raw) => raw.prepare('DELETE FROM tokens WHERE name = ?').run(name));
    if (changes === 0)
      throw new InvalidRequest('no-such-token', `Cannot revoke the token ${name} as there is none of that name`);
  }

  personOf(token: string): Person | undefined {
    if (!token.startsWith(prefix)) return undefined;
    const row = this.#database.use((raw) =>
      raw.prepare('SELECT name, role, created_at, used_at FROM tokens WHERE digest = ?').get(digestOf(token)),
    );
    if (row === undefined) return undefined;
    const { name, role, used_at: usedAt } = rowSchema.parse(row);
    const now = this.#clock.now();
    if (usedAt === null || now >= msOf(usedAt) + touchEveryMs) this.#touch(name, now);
    return { name, role, means: { type: 'token' } };
  }

  #touch(name: string, now: number): void {
    try {
      this.#database.transaction((raw) =>
        raw.prepare('UPDATE tokens SET used_at = ? WHERE name = ?').run(isoTime(now), name),
      );
    } catch {
      // A full disk must not keep programs from looking.
    }
  }
}
