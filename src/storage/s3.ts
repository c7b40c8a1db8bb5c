import { crc32 } from 'node:zlib';

import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';

import { Failure } from '../lib/failure.ts';
import { withDeadline } from './deadline.ts';
import { checkKey, checkPrefix, checkRange, refuseAsOf } from './key.ts';
import { readBody } from './s3-body.ts';
import { createClient, type S3Options } from './s3-client.ts';
import { readAnswer, s3Failure, type S3Act, type S3Answer } from './s3-failure.ts';
import { listPages } from './s3-list.ts';
import type { Abortable, GetOptions, ListOptions, PutOptions, Storage, StoredObject } from './storage.ts';

export type { S3Options } from './s3-client.ts';

const deletesPerCall = 1000;
const deletesAtOnce = 8;

/** Objects in a bucket of any store that speaks S3. Owns its connections. */
export class S3Storage implements Storage, AsyncDisposable {
  readonly description: string;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #folder: string;
  readonly #requestTimeoutMs: number;
  readonly #hasChecksum: boolean;
  #knowsIfAbsent = true;
  #knowsMultiDelete = true;

  constructor(options: S3Options) {
    const { bucket, prefix = '' } = options;
    this.#bucket = bucket;
    this.#folder = prefix === '' ? '' : `${prefix}/`;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 15 * 60_000;
    this.#hasChecksum = options.checksum ?? true;
    this.#client = createClient(options);
    this.description = prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<'stored' | 'exists'> {
    checkKey(key);
    const isConditional = options.ifAbsent === true && this.#knowsIfAbsent;
    const command = new PutObjectCommand({ ...this.#object(key, bytes), ...(isConditional && { IfNoneMatch: '*' }) });
    try {
      const { ETag: tag } = await this.#run(options, (abortSignal) => this.#client.send(command, { abortSignal }));
      if (tag === undefined)
        throw new Failure(
          'storage-answer-wrong',
          `Cannot rely on ${key} being stored as no store answered: ${this.description}`,
        );
      return 'stored';
    } catch (error) {
      const { status } = readAnswer(error);
      if (isConditional && status === 412) return 'exists';
      if (!isConditional || status !== 501) throw s3Failure(error, this.#act(`store ${key}`, options));
    }
    // "If absent" is more than this store knows: it ignores it from now on.
    this.#knowsIfAbsent = false;
    return await this.put(key, bytes, options);
  }

  async get(key: string, options: GetOptions = {}): Promise<Buffer> {
    checkKey(key);
    checkRange(options.range);
    refuseAsOf(options.asOf, this.description);
    const { range } = options;
    const input = {
      Bucket: this.#bucket,
      Key: this.#folder + key,
      ...(range && { Range: `bytes=${range.start}-${lastOf(range)}` }),
    };
    try {
      return await this.#run(options, async (abortSignal) => {
        return await readBody(await this.#client.send(new GetObjectCommand(input), { abortSignal }), options);
      });
    } catch (error) {
      if (range !== undefined && readAnswer(error).status === 416) return Buffer.alloc(0);
      throw s3Failure(error, { ...this.#act(`read ${key}`, options), key });
    }
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<StoredObject> {
    checkPrefix(prefix);
    refuseAsOf(options.asOf, this.description);
    yield* listPages(prefix, {
      act: this.#act(`list ${prefix === '' ? 'everything' : prefix}`, options),
      after: options.after,
      folder: this.#folder,
      send: async (input) => {
        const command = new ListObjectsV2Command({ ...input, Bucket: this.#bucket });
        return await this.#run(options, (abortSignal) => this.#client.send(command, { abortSignal }));
      },
    });
  }

  async delete(keys: readonly string[], options: Abortable = {}): Promise<void> {
    for (const key of keys) checkKey(key);
    options.signal?.throwIfAborted();
    for (let at = 0; at < keys.length; at += deletesPerCall) {
      const batch = keys.slice(at, at + deletesPerCall);
      const isDone = batch.length > 1 && this.#knowsMultiDelete && (await this.#deleteTogether(batch, options));
      if (!isDone) await this.#deleteSingly(batch, options);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
  }

  #object(key: string, bytes: Uint8Array): PutObjectCommandInput {
    return {
      Bucket: this.#bucket,
      Key: this.#folder + key,
      Body: bytes,
      ContentLength: bytes.length,
      ContentType: 'application/octet-stream',
      ...(this.#hasChecksum && { ChecksumCRC32: checksumOf(bytes) }),
    };
  }

  /** @returns false when the store does not know this call. */
  async #deleteTogether(keys: readonly string[], options: Abortable): Promise<boolean> {
    const objects = keys.map((key) => ({ Key: this.#folder + key }));
    const command = new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects: objects, Quiet: true } });
    try {
      const { Errors: errors = [] } = await this.#run(options, (abortSignal) =>
        this.#client.send(command, { abortSignal }),
      );
      const error = errors.find(({ Code }) => Code !== 'NoSuchKey');
      if (error === undefined) return true;
      const details = { name: error.Code ?? 'Error', $metadata: { httpStatusCode: 200 } };
      throw Object.assign(new Error(`${error.Key}: ${error.Message}`), details);
    } catch (error) {
      if (!isUnknownCall(readAnswer(error)))
        throw s3Failure(error, this.#act(`delete ${keys.length} objects`, options));
      this.#knowsMultiDelete = false;
      return false;
    }
  }

  async #deleteSingly(keys: readonly string[], options: Abortable): Promise<void> {
    for (let at = 0; at < keys.length; at += deletesAtOnce) {
      await Promise.all(keys.slice(at, at + deletesAtOnce).map((key) => this.#deleteOne(key, options)));
    }
  }

  async #deleteOne(key: string, options: Abortable): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.#bucket, Key: this.#folder + key });
    try {
      await this.#run(options, (abortSignal) => this.#client.send(command, { abortSignal }));
    } catch (error) {
      if (readAnswer(error).name === 'NoSuchKey') return;
      throw s3Failure(error, this.#act(`delete ${key}`, options));
    }
  }

  #act(act: string, { signal }: Abortable): S3Act {
    return { act, where: this.description, signal };
  }

  /** Throws what the SDK throws, or the reason of the caller's signal. */
  async #run<T>({ signal }: Abortable, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return await withDeadline(this.#requestTimeoutMs, { signal }, work);
  }
}

/** An empty range still asks for a byte, so that a missing object is noticed. */
function lastOf({ start, end }: { start: number; end: number }): number {
  return Math.max(start, end - 1);
}

function checksumOf(bytes: Uint8Array): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum.toString('base64');
}

function isUnknownCall({ name, status }: S3Answer): boolean {
  return status === 501 || status === 405 || name === 'MissingContentMD5';
}
