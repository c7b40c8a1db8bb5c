import { createHash, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/** A database with the tables below; whoever composes the manager opens it. Its failures are Failures. */
export interface PeopleDatabase {
  use<T>(work: (database: DatabaseSync) => T): T;
  transaction<T>(work: (database: DatabaseSync) => T): T;
}

/** In order, each applied once and never changed after it was released. */
export const peopleMigrations = [
  {
    number: 1,
    name: 'users, sessions and tokens',
    sql: `
      CREATE TABLE users (name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL) STRICT;
      CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        begun_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE tokens (
        name TEXT PRIMARY KEY,
        role TEXT NOT NULL,
        digest TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        used_at TEXT
      ) STRICT;
    `,
  },
] as const;

/** 256 bits that nobody guesses, so that a plain digest of them is enough to keep. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a session's or token's secret. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
