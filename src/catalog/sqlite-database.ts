import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { type Clock, isoTime } from '../lib/clock.ts';
import { Conflict, PermanentFailure } from '../lib/failure.ts';
import { type Migration, migrations as ours } from './migrations.ts';
import { catalogFailure, primaryCodeOf } from './sqlite-failure.ts';

const BUSY_MS = 5_000;
const BUSY = 5;

export interface DatabaseOptions {
  readonly file: string;
  readonly clock: Clock;
  /** Others than this program's, for tests. */
  readonly migrations?: readonly Migration[];
}

/** One connection to a database of the manager, brought up to date; failures are in people's words. */
export class SqliteDatabase implements Disposable {
  readonly file: string;
  readonly #database: DatabaseSync;

  constructor(file: string, database: DatabaseSync) {
    this.file = file;
    this.#database = database;
  }

  /** All of `work` is durable when it returns, or none of it happened. */
  transaction<T>(work: (database: DatabaseSync) => T): T {
    return this.use((database) => {
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = work(database);
        database.exec('COMMIT');
        return result;
      } finally {
        // A full disk ends the transaction by itself.
        if (database.isTransaction) database.exec('ROLLBACK');
      }
    });
  }

  /** @throws Failure, as `catalogFailure` tells of SQLite's errors */
  use<T>(work: (database: DatabaseSync) => T): T {
    try {
      return work(this.#database);
    } catch (error) {
      throw catalogFailure(error, this.file);
    }
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

/**
 * Every commit waits for the disk (`synchronous=FULL`): what was answered to a person survives the loss of power. That is
 * affordable as few things change, and each at most every 10 seconds.
 * @throws PermanentFailure `catalog-too-new`; CorruptData `catalog-damaged`; Failure `catalog-full`
 */
export async function openDatabase({ file, clock, migrations = ours }: DatabaseOptions): Promise<SqliteDatabase> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // The write-ahead log takes over the mode of the file.
  await (await open(file, 'a', 0o600)).close();
  const database = new SqliteDatabase(file, connect(file));
  try {
    database.use((raw) => raw.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;'));
    migrate(database, { clock, migrations });
    return database;
  } catch (error) {
    database[Symbol.dispose]();
    throw error;
  }
}

/**
 * Makes sure that only one process uses a database: another one would not hear of its changes. The lock goes with the
 * process however that ends.
 * @throws Conflict `catalog-in-use`
 */
export async function lockDatabase(file: string): Promise<Disposable> {
  const lockFile = `${file}.lock`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await (await open(lockFile, 'a', 0o600)).close();
  const database = connect(lockFile, { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  } catch (cause) {
    database.close();
    if (primaryCodeOf(cause) !== BUSY) throw catalogFailure(cause, lockFile);
    throw new Conflict('catalog-in-use', `Cannot open the catalog as another manager uses it: ${file}`, {
      cause,
      nextStep: 'Stop that one, or give this one a data directory of its own.',
    });
  }
  return {
    [Symbol.dispose]: () => {
      if (database.isOpen) database.close();
    },
  };
}

function connect(file: string, { timeout }: { readonly timeout: number } = { timeout: BUSY_MS }): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout });
  } catch (error) {
    throw catalogFailure(error, file);
  }
}

const numberSchema = z.object({ number: z.int().nullable() });

function migrate(
  database: SqliteDatabase,
  { clock, migrations }: { readonly clock: Clock; readonly migrations: readonly Migration[] },
): void {
  database.transaction((raw) => {
    raw.exec(
      'CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT',
    );
    const applied = numberSchema.parse(raw.prepare('SELECT max(number) AS number FROM migrations').get()).number ?? 0;
    const known = migrations.at(-1)?.number ?? 0;
    if (applied > known) throw tooNew(database.file, { applied, known });
    for (const { number, name, sql } of migrations) {
      if (number <= applied) continue;
      raw.exec(sql);
      raw
        .prepare('INSERT INTO migrations (number, name, applied_at) VALUES (?, ?, ?)')
        .run(number, name, isoTime(clock.now()));
    }
  });
}

function tooNew(file: string, { applied, known }: { readonly applied: number; readonly known: number }) {
  return new PermanentFailure(
    'catalog-too-new',
    `Cannot open the catalog as a newer program has changed it: it is of version ${applied}, this program knows ${known} (${file})`,
    {
      nextStep: 'Start the newer program, or put the copy of the data directory back that was made before the update.',
    },
  );
}
