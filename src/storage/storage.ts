import { Failure, type FailureDetails } from '../lib/failure.ts';

/** An object as a listing shows it. */
export interface StoredObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** When it became visible, by the store's own time stamp, never a local clock's. */
  readonly modified: Date;
}

export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions extends Abortable {
  /** Store only if nothing is stored under the key. A store may ignore it: `probeStorage` finds out. */
  readonly ifAbsent?: boolean;
}

/** Half-open: bytes `start` to `end - 1`. `end` may lie behind the object's end. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface GetOptions extends Abortable {
  readonly range?: ByteRange;
  /** Read the object as it was at this time, where the store keeps versions. */
  readonly asOf?: Date;
  /**
   * The caller's memory, which the store may put the bytes into and answer with a view of, if they fit. Once it has answered it
   * leaves it alone; after an error it may not.
   */
  readonly into?: Buffer;
}

export interface ListOptions extends Abortable {
  /** Only keys behind this one, so that a broken listing goes on where it broke. */
  readonly after?: string | undefined;
  readonly asOf?: Date;
}

/**
 * A bucket, container or directory, seen through four verbs. Keys are relative to what the adapter was made with, use `/`,
 * and never start with it; `checkKey` says which are possible. No key is the folder of another one: with `a/b` stored, `a`
 * cannot be. Every adapter passes the suite in `tests/contract/storage.ts`.
 *
 * Promises of every adapter:
 * - `put` is all or nothing: when it throws or its signal aborts, either no object or the whole object is there, never a part.
 *   The bytes are checked by the store on arrival where the store can (a checksum travels with them).
 * - After `put` resolved, `get` sees the object. `list` may lag behind.
 * - A call whose signal is already aborted has no effect and throws the signal's reason. One that hangs in the system may not hear of
 *   a signal that aborts later (a file system on a network that is gone): `retrying` does not wait for it.
 * - A store that is gone (unmounted, removed) is an error, never an empty list or a missing object.
 * - Errors are `ObjectNotFound`, `PermanentFailure` (credentials, missing bucket, read-only), `InvalidRequest` (an impossible
 *   key or range) or anything else, which is transient. Adapters only classify: `retrying` repeats.
 */
export interface Storage {
  /** For messages: what and where, without secrets; e.g. `s3://bucket/prefix` or a directory's path. */
  readonly description: string;
  /** @returns `exists` when `ifAbsent` was asked for and something is there already: perhaps this very put, whose answer was lost. */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<'stored' | 'exists'>;
  /** @returns exactly the range asked for, shorter only at the end of the object, in memory of the caller's own. Throws `ObjectNotFound`. */
  get(key: string, options?: GetOptions): Promise<Buffer>;
  /** Every object whose key starts with `prefix`, in ascending order of the key's UTF-8 bytes. */
  list(prefix: string, options?: ListOptions): AsyncIterable<StoredObject>;
  /** A key that is not there is success. */
  delete(keys: readonly string[], options?: Abortable): Promise<void>;
}

export class ObjectNotFound extends Failure {
  override name = 'ObjectNotFound';

  constructor(key: string, details: { cause?: unknown; where: string }) {
    super('object-not-found', `Cannot read ${key} as it is not there: ${details.where}`, { cause: details.cause });
  }
}

/** The store asks to be left alone for a while; transient. */
export class StoreBusy extends Failure {
  override name = 'StoreBusy';
  readonly retryAfterMs: number;

  constructor(message: string, details: FailureDetails & { retryAfterMs: number }) {
    super('storage-busy', message, details);
    this.retryAfterMs = details.retryAfterMs;
  }
}
