import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { type Resource, type ResourceKind, resourceSchemas, type SpecOf, type StatusOf } from '../api/resources.ts';
import { type Clock, isoTime } from '../lib/clock.ts';
import { Conflict, CorruptData } from '../lib/failure.ts';
import type { Catalog, Change } from './catalog.ts';
import { ChangeFeed, changeOf } from './change-feed.ts';
import { lockDatabase, openDatabase, type SqliteDatabase } from './sqlite-database.ts';
import { isConstraintError } from './sqlite-failure.ts';

export interface SqliteCatalogOptions {
  /** The database; its directory is made where it is missing. Beside it lie its write-ahead log and its lock. */
  readonly file: string;
  readonly clock: Clock;
  /** Resources with changes that a watcher may leave waiting. */
  readonly watchLimit?: number;
}

/** Rows read at once while listing: other work comes between. */
const PAGE = 200;

/**
 * The catalog in one SQLite file, for one process at a time.
 * @throws Conflict `catalog-in-use`; PermanentFailure `catalog-too-new`; CorruptData `catalog-damaged`; Failure `catalog-full`
 */
export async function openSqliteCatalog({ file, clock, watchLimit }: SqliteCatalogOptions): Promise<Catalog> {
  using stack = new DisposableStack();
  const lock = stack.use(await lockDatabase(file));
  const database = stack.use(await openDatabase({ file, clock }));
  const feed = new ChangeFeed(watchLimit === undefined ? {} : { limit: watchLimit });
  stack.move();
  return new SqliteCatalog({ database, clock, feed, lock });
}

interface Parts {
  readonly database: SqliteDatabase;
  readonly clock: Clock;
  readonly feed: ChangeFeed;
  readonly lock: Disposable;
}

interface Content<Kind extends ResourceKind> {
  readonly spec: SpecOf<Kind>;
  readonly status: StatusOf<Kind>;
}

class SqliteCatalog implements Catalog {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async create<Kind extends ResourceKind>(kind: Kind, name: string, content: Content<Kind>): Promise<Resource<Kind>> {
    const { database, clock } = this.#parts;
    const made = { kind, name, uid: randomUUID(), createdAt: isoTime(clock.now()) };
    const { texts, checked } = encode(made, content);
    const version = database.transaction((raw) => {
      const next = nextVersion(raw);
      const statement = raw.prepare(
        'INSERT INTO resources (kind, name, uid, version, created_at, spec, status) VALUES (?, ?, ?, ?, ?, ?, ?)',
      );
      try {
        statement.run(kind, name, made.uid, next, made.createdAt, texts.spec, texts.status);
      } catch (error) {
        throw isConstraintError(error) ? nameTaken(kind, name, error) : error;
      }
      return next;
    });
    return this.#publish({ ...made, version, ...checked });
  }

  async get<Kind extends ResourceKind>(kind: Kind, name: string): Promise<Resource<Kind> | undefined> {
    const row = this.#parts.database.use((raw) =>
      raw.prepare('SELECT * FROM resources WHERE kind = ? AND name = ?').get(kind, name),
    );
    return row === undefined ? undefined : decode(kind, row);
  }

  async replace<Kind extends ResourceKind>(resource: Resource<Kind>): Promise<Resource<Kind>> {
    const { kind, name, uid, version } = resource;
    const { texts, checked } = encode(resource, resource);
    const next = this.#parts.database.transaction((raw) => {
      const number = nextVersion(raw);
      const { changes } = raw
        .prepare(
          'UPDATE resources SET version = ?, spec = ?, status = ? WHERE kind = ? AND name = ? AND uid = ? AND version = ?',
        )
        .run(number, texts.spec, texts.status, kind, name, uid, version);
      if (changes === 0) throw changedMeanwhile(resource);
      return number;
    });
    const { createdAt } = resource;
    return this.#publish({ kind, name, uid, createdAt, version: next, ...checked });
  }

  async remove(resource: Resource): Promise<void> {
    const { kind, name, uid, version } = resource;
    this.#parts.database.transaction((raw) => {
      const { changes } = raw
        .prepare('DELETE FROM resources WHERE kind = ? AND name = ? AND uid = ? AND version = ?')
        .run(kind, name, uid, version);
      if (changes === 0) throw changedMeanwhile(resource);
    });
    this.#parts.feed.publish(changeOf(resource, undefined));
  }

  async *list<Kind extends ResourceKind>(kind: Kind): AsyncGenerator<Resource<Kind>, void, undefined> {
    const sql = 'SELECT * FROM resources WHERE kind = ? AND name > ? ORDER BY name LIMIT ?';
    for (let after = ''; ;) {
      const rows = this.#parts.database.use((raw) => raw.prepare(sql).all(kind, after, PAGE));
      for (const row of rows) {
        const resource = decode(kind, row);
        after = resource.name;
        yield resource;
      }
      if (rows.length < PAGE) return;
      await nextTurn();
    }
  }

  watch({ signal }: { readonly signal: AbortSignal }): AsyncIterable<Change> {
    return this.#parts.feed.watch(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#parts.feed.close();
    this.#parts.database[Symbol.dispose]();
    this.#parts.lock[Symbol.dispose]();
  }

  #publish<Kind extends ResourceKind>(resource: Resource<Kind>): Resource<Kind> {
    this.#parts.feed.publish(changeOf(resource, resource));
    return resource;
  }
}

const versionSchema = z.object({ version: z.int() });

/** Never given twice, not even after a resource was removed. */
function nextVersion(raw: DatabaseSync): number {
  const row = raw.prepare('UPDATE last_version SET version = version + 1 RETURNING version').get();
  return versionSchema.parse(row).version;
}

const rowSchema = z.object({
  name: z.string(),
  uid: z.string(),
  version: z.int(),
  created_at: z.string(),
  spec: z.string(),
  status: z.string(),
});

function decode<Kind extends ResourceKind>(kind: Kind, raw: unknown): Resource<Kind> {
  const { name, uid, version, created_at: createdAt, spec, status } = rowSchema.parse(raw);
  return { kind, name, uid, version, createdAt, ...check({ kind, name }, { spec, status }) };
}

/** What is written is what would be read, so that nothing gets in that nobody can read. */
function encode<Kind extends ResourceKind>(
  named: { readonly kind: Kind; readonly name: string },
  content: Content<Kind>,
) {
  const texts = { spec: JSON.stringify(content.spec), status: JSON.stringify(content.status) };
  return { texts, checked: check(named, texts) };
}

function check<Kind extends ResourceKind>(
  { kind, name }: { readonly kind: Kind; readonly name: string },
  texts: { readonly spec: string; readonly status: string },
): Content<Kind> {
  const schemas: { readonly spec: z.ZodType; readonly status: z.ZodType } = resourceSchemas[kind];
  try {
    // One kind's schemas: what they give is of that kind.
    return {
      spec: schemas.spec.parse(JSON.parse(texts.spec)) as SpecOf<Kind>,
      status: schemas.status.parse(JSON.parse(texts.status)) as StatusOf<Kind>,
    };
  } catch (cause) {
    throw new CorruptData('catalog-damaged', `Cannot use the ${kind} ${name} as its record is not one of that kind`, {
      cause,
      nextStep: 'Please report this with the text of the error; what is in the buckets is not affected.',
    });
  }
}

function nameTaken(kind: ResourceKind, name: string, cause: unknown): Conflict {
  return new Conflict('name-taken', `Cannot create the ${kind} ${name} as there is one of that name already`, {
    cause,
    nextStep: 'Choose another name.',
  });
}

function changedMeanwhile({ kind, name }: Resource): Conflict {
  return new Conflict('changed-meanwhile', `Cannot change the ${kind} ${name} as it was changed or removed meanwhile`, {
    nextStep: 'Look at it again, and repeat what you wanted if it still makes sense.',
  });
}
