import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { CorruptData } from '../lib/failure.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { ID_BYTES } from './cipher.ts';
import { FANOUT } from './extent.ts';

/** Blocks that lie one after the other in one frame and belong one after the other into one file. */
export interface PlannedRun {
  readonly segment: number;
  readonly frameOffset: number;
  readonly frameLength: number;
  readonly plainOffset: number;
  readonly file: number;
  readonly firstBlock: number;
  /** 32 bytes a block. */
  readonly ids: Buffer;
}

export interface RestorePlanOptions {
  /** Where what does not fit into memory is put, below a name of its own. */
  readonly directory: string;
  readonly segments: number;
  /** Plan bytes held in memory before they are written out. */
  readonly memoryBytes?: number;
}

const DEFAULT_MEMORY = 16 << 20;
/** Segments of one bucket are restored together. */
const MAX_BUCKETS = 512;

interface Spilled {
  readonly offset: number;
  readonly length: number;
}

/**
 * Which blocks of which segments go where, sorted by segment however the files refer to them. The plan of a large database
 * (about 0.25 % of its size) is spilled to a file, so memory stays bounded.
 */
export class RestorePlan {
  readonly #directory: string;
  readonly #memoryBytes: number;
  readonly #segmentsPerBucket: number;
  readonly #buckets: ByteWriter[] = [];
  readonly #spilled: Spilled[][] = [];
  #held = 0;
  #file: { readonly handle: FileHandle; readonly folder: string; length: number } | undefined;

  constructor({ directory, segments, memoryBytes }: RestorePlanOptions) {
    this.#directory = directory;
    this.#memoryBytes = memoryBytes ?? DEFAULT_MEMORY;
    this.#segmentsPerBucket = Math.max(1, Math.ceil(segments / MAX_BUCKETS));
  }

  async add(run: PlannedRun): Promise<void> {
    const number = Math.floor(run.segment / this.#segmentsPerBucket);
    const bucket = (this.#buckets[number] ??= new ByteWriter(4096));
    const before = bucket.length;
    bucket.varint(run.segment).varint(run.frameOffset).varint(run.frameLength).varint(run.plainOffset);
    bucket
      .varint(run.file)
      .varint(run.firstBlock)
      .varint(run.ids.length / ID_BYTES)
      .bytes(run.ids);
    this.#held += bucket.length - before;
    if (this.#held >= this.#memoryBytes) await this.#spill();
  }

  /** The runs of one segment after the other, each segment's in the order of the frames. */
  async *segments(): AsyncGenerator<{ readonly segment: number; readonly runs: readonly PlannedRun[] }> {
    for (let number = 0; number < Math.max(this.#buckets.length, this.#spilled.length); number += 1) {
      const bySegment = new Map<number, PlannedRun[]>();
      for (const run of decodeRuns(await this.#bucket(number))) {
        const runs = bySegment.get(run.segment);
        if (runs) runs.push(run);
        else bySegment.set(run.segment, [run]);
      }
      for (const [segment, runs] of [...bySegment].toSorted(([a], [b]) => a - b)) {
        yield {
          segment,
          runs: runs.toSorted((a, b) => a.frameOffset - b.frameOffset || a.plainOffset - b.plainOffset),
        };
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.handle.close();
    if (this.#file) await rm(this.#file.folder, { recursive: true, force: true });
    this.#file = undefined;
  }

  async #spill(): Promise<void> {
    const file = (this.#file ??= await this.#openFile());
    for (const [number, bucket] of this.#buckets.entries()) {
      if (!bucket || bucket.length === 0) continue;
      const bytes = bucket.view();
      for (let at = 0; at < bytes.length;) {
        at += (await file.handle.write(bytes, at, bytes.length - at, file.length + at)).bytesWritten;
      }
      (this.#spilled[number] ??= []).push({ offset: file.length, length: bytes.length });
      file.length += bytes.length;
    }
    this.#buckets.length = 0;
    this.#held = 0;
  }

  async #openFile(): Promise<{ handle: FileHandle; folder: string; length: number }> {
    const folder = await mkdtemp(join(this.#directory, '.holdfast-plan-'));
    return { handle: await open(join(folder, 'plan'), 'wx+', 0o600), folder, length: 0 };
  }

  async #bucket(number: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (const { offset, length } of this.#spilled[number] ?? []) {
      const part = Buffer.allocUnsafe(length);
      for (let at = 0; at < length;) {
        const { bytesRead } = (await this.#file?.handle.read(part, at, length - at, offset + at)) ?? { bytesRead: 0 };
        if (bytesRead === 0)
          throw new CorruptData('plan-cut-short', 'Cannot restore as its plan on disk was cut short', {
            nextStep: 'Check the disk of the target, and that nobody removes files there, and restore again.',
          });
        at += bytesRead;
      }
      parts.push(part);
    }
    const rest = this.#buckets[number]?.view();
    return Buffer.concat(rest ? [...parts, rest] : parts);
  }
}

function* decodeRuns(bytes: Buffer): Generator<PlannedRun> {
  const reader = new ByteReader(bytes, 'the plan of a restore');
  while (reader.remaining > 0) {
    const [segment, frameOffset, frameLength, plainOffset] = [
      reader.varint(),
      reader.varint(),
      reader.varint(),
      reader.varint(),
    ];
    const [file, firstBlock, count] = [reader.varint(), reader.varint(), reader.varint(FANOUT)];
    yield { segment, frameOffset, frameLength, plainOffset, file, firstBlock, ids: reader.bytes(count * ID_BYTES) };
  }
}
