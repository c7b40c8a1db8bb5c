import * as z from 'zod';
import { type Role, roleSchema } from '../../api/route-kit.ts';
import type { PeopleDatabase } from './people-database.ts';

export interface User {
  readonly name: string;
  readonly role: Role;
  /** Its hash. */
  readonly password: string;
}

const rowSchema = z.object({ name: z.string(), role: roleSchema, password: z.string() });

export class Users {
  readonly #database: PeopleDatabase;

  constructor(database: PeopleDatabase) {
    this.#database = database;
  }

  isEmpty(): boolean {
    return this.#database.use((raw) => raw.prepare('SELECT 1 FROM users LIMIT 1').get() === undefined);
  }

  find(name: string): User | undefined {
    const row = this.#database.use((raw) =>
      raw.prepare('SELECT name, role, password FROM users WHERE name = ?').get(name),
    );
    return row === undefined ? undefined : rowSchema.parse(row);
  }

  create({ name, role, password }: User): void {
    this.#database.transaction((raw) =>
      raw.prepare('INSERT INTO users (name, role, password) VALUES (?, ?, ?)').run(name, role, password),
    );
  }

  /** Ends all sessions of that user but the one in which it was asked for. */
  setPassword(name: string, password: string, session: string): void {
    this.#database.transaction((raw) => {
      raw.prepare('UPDATE users SET password = ? WHERE name = ?').run(password, name);
      raw.prepare('DELETE FROM sessions WHERE user = ? AND id <> ?').run(name, session);
    });
  }
}
