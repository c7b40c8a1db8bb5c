import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { SecretRecord, SecretStore } from '../control/secrets.ts';
import type { Clock } from '../lib/clock.ts';
import { CorruptData } from '../lib/failure.ts';
import { readOrMakeKey } from './secrets-key.ts';
import { openDatabase, type SqliteDatabase } from './sqlite-database.ts';

export interface SqliteSecretsOptions {
  /** That of the catalog. */
  readonly file: string;
  /** Default: the name of the database with `.key` behind it. Whoever has both files has the secrets. */
  readonly keyFile?: string;
  readonly clock: Clock;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Secrets beside the resources, each record encrypted with AES-256-GCM and a nonce of its own; kind and name are associated
 * data, so that no record passes for another's.
 * @throws PermanentFailure `secrets-key-lost`, `secrets-key-open`
 */
export async function openSqliteSecrets({
  file,
  keyFile,
  clock,
}: SqliteSecretsOptions): Promise<SecretStore & AsyncDisposable> {
  using stack = new DisposableStack();
  const database = stack.use(await openDatabase({ file, clock }));
  const key = await readOrMakeKey(keyFile ?? `${file}.key`, { isNew: isEmpty(database) });
  stack.move();
  return new SqliteSecrets(database, key);
}

class SqliteSecrets implements SecretStore, AsyncDisposable {
  readonly #database: SqliteDatabase;
  readonly #key: Buffer;

  constructor(database: SqliteDatabase, key: Buffer) {
    this.#database = database;
    this.#key = key;
  }

  async get(kind: string, name: string): Promise<SecretRecord> {
    const row = this.#database.use((raw) =>
      raw.prepare('SELECT nonce, sealed FROM secrets WHERE kind = ? AND name = ?').get(kind, name),
    );
    if (row === undefined) return {};
    try {
      const { nonce, sealed } = rowSchema.parse(row);
      return recordSchema.parse(JSON.parse(this.#decrypt(nonce, sealed, associated(kind, name))));
    } catch (cause) {
      throw new CorruptData(
        'secret-damaged',
        `Cannot read the secrets of the ${kind} ${name} as they are not what was written with this key`,
        { cause, nextStep: 'Enter its secrets anew.' },
      );
    }
  }

  async set(kind: string, name: string, record: SecretRecord): Promise<void> {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce).setAAD(associated(kind, name));
    const sealed = Buffer.concat([cipher.update(JSON.stringify(record), 'utf8'), cipher.final(), cipher.getAuthTag()]);
    this.#database.transaction((raw) =>
      raw
        .prepare(
          'INSERT INTO secrets (kind, name, nonce, sealed) VALUES (?, ?, ?, ?) ON CONFLICT (kind, name) DO UPDATE SET nonce = excluded.nonce, sealed = excluded.sealed',
        )
        .run(kind, name, nonce, sealed),
    );
  }

  async names(kind: string): Promise<readonly string[]> {
    const rows = this.#database.use((raw) => raw.prepare('SELECT name FROM secrets WHERE kind = ?').all(kind));
    return rows.map((row) => nameSchema.parse(row).name);
  }

  async remove(kind: string, name: string): Promise<void> {
    this.#database.transaction((raw) => raw.prepare('DELETE FROM secrets WHERE kind = ? AND name = ?').run(kind, name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database[Symbol.dispose]();
  }

  #decrypt(nonce: Uint8Array, sealed: Uint8Array, about: Buffer): string {
    const end = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(about)
      .setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]).toString('utf8');
  }
}

const rowSchema = z.object({ nonce: z.instanceof(Uint8Array), sealed: z.instanceof(Uint8Array) });
const nameSchema = z.object({ name: z.string() });
const recordSchema = z.record(z.string(), z.string());

/** Neither kinds nor names hold line ends. */
function associated(kind: string, name: string): Buffer {
  return Buffer.from(`holdfast secret\n${kind}\n${name}`);
}

function isEmpty(database: SqliteDatabase): boolean {
  return database.use((raw) => raw.prepare('SELECT 1 FROM secrets LIMIT 1').get() === undefined);
}
