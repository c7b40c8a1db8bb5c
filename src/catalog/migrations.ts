export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/** In order, each applied once and never changed after it was released: what is wanted differently is a new one. */
export const migrations: readonly Migration[] = [
  {
    number: 1,
    name: 'resources and secrets',
    sql: `
      CREATE TABLE resources (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        uid TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        spec TEXT NOT NULL,
        status TEXT NOT NULL,
        PRIMARY KEY (kind, name)
      ) STRICT;
      CREATE TABLE last_version (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL) STRICT;
      INSERT INTO last_version (only, version) VALUES (1, 0);
      CREATE TABLE secrets (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        nonce BLOB NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (kind, name)
      ) STRICT;
    `,
  },
];
