import * as z from 'zod';
import { roleSchema } from '../../api/route-kit.ts';
import type { Clock } from '../../lib/clock.ts';
import { digestOf, newSecret, type PeopleDatabase } from './people-database.ts';
import type { Person } from './person.ts';

const idleLimitMs = 12 * 3_600_000;
const limitMs = 7 * 24 * 3_600_000;
/** How exactly it is known when one was used last. */
const touchEveryMs = 60_000;

const rowSchema = z.object({ name: z.string(), role: roleSchema, begun_at: z.int(), used_at: z.int() });

/** Who signed in: a session ends 12 hours after it was used last, and after 7 days. Only digests of its secret are kept. */
export class Sessions {
  readonly #database: PeopleDatabase;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(database: PeopleDatabase, clock: Pick<Clock, 'now'>) {
    this.#database = database;
    this.#clock = clock;
  }

  /** @returns the secret for the person's browser */
  begin(user: string): string {
    const secret = newSecret();
    const now = this.#clock.now();
    this.#database.transaction((raw) => {
      raw.prepare('DELETE FROM sessions WHERE used_at <= ? OR begun_at <= ?').run(now - idleLimitMs, now - limitMs);
      raw
        .prepare('INSERT INTO sessions (id, user, begun_at, used_at) VALUES (?, ?, ?, ?)')
        .run(digestOf(secret), user, now, now);
    });
    return secret;
  }

  personOf(secret: string): Person | undefined {
    return this.#find(digestOf(secret), { isUse: true });
  }

  /** Is it still one? Asking is no use of it. */
  isAlive(id: string): boolean {
    return this.#find(id, { isUse: false }) !== undefined;
  }

  end(id: string): void {
    this.#database.transaction((raw) => raw.prepare('DELETE FROM sessions WHERE id = ?').run(id));
  }

  #find(id: string, { isUse }: { readonly isUse: boolean }): Person | undefined {
    const row = this.#database.use((raw) =>
      raw
        .prepare(
          'SELECT users.name, role, begun_at, used_at FROM sessions JOIN users ON users.name = sessions.user WHERE id = ?',
        )
        .get(id),
    );
    if (row === undefined) return undefined;
    const { name, role, begun_at: begunAt, used_at: usedAt } = rowSchema.parse(row);
    const now = this.#clock.now();
    if (now >= usedAt + idleLimitMs || now >= begunAt + limitMs) return undefined;
    if (isUse && now >= usedAt + touchEveryMs) this.#touch(id, now);
    return { name, role, means: { type: 'session', id } };
  }

  #touch(id: string, now: number): void {
    try {
      this.#database.transaction((raw) => raw.prepare('UPDATE sessions SET used_at = ? WHERE id = ?').run(now, id));
    } catch {
      // A full disk must not keep people from looking; the session ends a little earlier.
    }
  }
}
