import type { Storage } from '../storage/storage.ts';
import { Conflict } from '../lib/failure.ts';
import { BufferPool } from './buffer-pool.ts';
import type { Cipher } from './cipher.ts';
import type { Compressor } from './compressor.ts';
import { BLOCK_BYTES, type FrameHandle, type FramePlace } from './extent.ts';
import type { BlockRun, NodeEntry } from './footer.ts';
import { compressSync } from './frame.ts';
import { type AttemptName, segmentKey, segmentName } from './names.ts';
import { OpenSegment } from './open-segment.ts';

export interface SegmentWriterOptions {
  readonly storage: Storage;
  readonly cipher: Cipher;
  readonly attempt: AttemptName;
  /** An object's size at most. */
  readonly segmentBytes: number;
  /** Plain bytes of blocks that are compressed together. */
  readonly frameBytes: number;
  readonly compressor: Compressor;
  /** Frames that are compressed at once. */
  readonly compressions: number;
  /** Segments that are uploaded at once. */
  readonly uploads: number;
  readonly signal: AbortSignal;
  /** Called in order after each frame got its place: the moment to add the nodes that are now complete. */
  readonly onPlaced: () => Promise<void>;
}

export interface WrittenSegment {
  /** Bytes of the object. */
  readonly size: number;
  readonly total: number;
}

interface OpenFrame {
  readonly handle: FrameHandle;
  readonly buffer: Buffer;
  length: number;
  readonly runs: BlockRun[];
}

/**
 * Bundles blocks into frames, frames into segments, and uploads segments. Frames are compressed at the same time and
 * placed in order. Memory is two fixed pools; who adds a block while both are used up waits in `makeRoom`.
 */
export class SegmentWriter {
  /** By the segment's number: objects with names would be the largest thing in memory for a large database. */
  readonly #sizes: number[] = [];
  readonly #totals: number[] = [];
  readonly #options: SegmentWriterOptions;
  readonly #frames: BufferPool;
  readonly #segments: BufferPool;
  readonly #uploads = new Set<Promise<void>>();
  #failure: { readonly cause: unknown } | undefined;
  #frame: OpenFrame | undefined;
  #segment: { readonly open: OpenSegment; readonly buffer: Buffer } | undefined;
  #placed: Promise<void> = Promise.resolve();
  #number = 0;
  #uploadedBytes = 0;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    this.#frames = new BufferPool({ count: options.compressions + 1, size: options.frameBytes });
    this.#segments = new BufferPool({ count: options.uploads + 1, size: options.segmentBytes });
  }

  /** Bytes uploaded so far. */
  get uploadedBytes(): number {
    return this.#uploadedBytes;
  }

  /** A segment of this attempt that is uploaded. */
  written(number: number): WrittenSegment | undefined {
    const [size, total] = [this.#sizes[number], this.#totals[number]];
    return size === undefined || total === undefined ? undefined : { size, total };
  }

  /** May one more block be added right now? */
  get hasRoom(): boolean {
    return this.#frame !== undefined && this.#frame.length + BLOCK_BYTES <= this.#frame.buffer.length;
  }

  async makeRoom(): Promise<void> {
    this.#check();
    if (this.#frame) this.#submit(this.#frame);
    const buffer = await this.#frames.wait();
    this.#frame = { handle: { place: undefined }, buffer, length: 0, runs: [] };
  }

  /** Copies the block. Only when `hasRoom`. */
  addBlock(
    bytes: Uint8Array,
    path: string,
    block: number,
  ): { readonly frame: FrameHandle; readonly plainOffset: number } {
    const frame = this.#frame;
    if (!frame) throw new RangeError('no room for a block');
    const plainOffset = frame.length;
    frame.buffer.set(bytes, plainOffset);
    frame.length += bytes.length;
    const last = frame.runs.at(-1);
    if (last && last.path === path && last.firstBlock + last.count === block) {
      last.count += 1;
      last.bytes += bytes.length;
    } else frame.runs.push({ path, firstBlock: block, count: 1, bytes: bytes.length });
    return { frame: frame.handle, plainOffset };
  }

  /** Places a node at once. Only from `onPlaced` or after `drain`: there is one place where things are put in order. */
  async addNode(plain: Buffer, node: NodeEntry): Promise<FramePlace> {
    const packed = compressSync(plain, 1);
    const segment = await this.#segmentFor(packed.body.length, 1);
    return segment.addNode(packed, plain.length, node);
  }

  /** Gives every block its place and calls `onPlaced`, which new frames alone would not do where little is new. */
  async settle(): Promise<void> {
    await this.drain();
    this.#placed = this.#placed.then(async () => this.#options.onPlaced());
    this.#placed.catch((cause: unknown) => this.#fail(cause));
    await this.#placed;
  }

  /** Every block has its place when this resolves. */
  async drain(): Promise<void> {
    if (this.#frame && this.#frame.length > 0) this.#submit(this.#frame);
    else if (this.#frame) this.#frames.give(this.#frame.buffer);
    this.#frame = undefined;
    await this.#placed;
    this.#check();
  }

  /** Closes the open segment and waits until all is uploaded. */
  async finish(): Promise<void> {
    await this.drain();
    this.#closeSegment();
    await Promise.all(this.#uploads);
    this.#check();
  }

  #submit(frame: OpenFrame): void {
    this.#frame = undefined;
    const packed = this.#options.compressor.compress(frame.buffer.subarray(0, frame.length));
    packed.catch(() => undefined);
    this.#placed = this.#placed.then(async () => {
      const done = await packed;
      const segment = await this.#segmentFor(done.body.length, frame.runs.length);
      frame.handle.place = segment.addData(done, frame.length, frame.runs);
      done.release();
      this.#frames.give(frame.buffer);
      await this.#options.onPlaced();
    });
    this.#placed.catch((cause: unknown) => this.#fail(cause));
  }

  async #segmentFor(bodyLength: number, runs: number): Promise<OpenSegment> {
    if (this.#segment && !this.#segment.open.hasRoom(bodyLength, runs)) this.#closeSegment();
    if (this.#segment) return this.#segment.open;
    const buffer = await this.#segments.wait();
    this.#number += 1;
    const open = new OpenSegment(segmentName(this.#options.attempt, this.#number), buffer, this.#options.cipher);
    this.#segment = { open, buffer };
    return open;
  }

  #closeSegment(): void {
    const current = this.#segment;
    this.#segment = undefined;
    if (!current) return;
    const { name, bytes, total } = current.open.close();
    const number = this.#number;
    const upload = this.#upload(name, bytes).then(() => {
      this.#sizes[number] = bytes.length;
      this.#totals[number] = total;
      this.#uploadedBytes += bytes.length;
      this.#segments.give(current.buffer);
    });
    this.#uploads.add(upload);
    upload.then(
      () => this.#uploads.delete(upload),
      (cause: unknown) => this.#fail(cause),
    );
  }

  /** The name is this attempt's alone: something there already can only be this very put, whose answer was lost. */
  async #upload(name: string, bytes: Buffer): Promise<void> {
    const { storage, signal } = this.#options;
    const key = segmentKey(name);
    if ((await storage.put(key, bytes, { ifAbsent: true, signal })) === 'stored') return;
    if (!(await storage.get(key, { signal })).equals(bytes)) {
      throw new Conflict('object-exists', `Cannot write ${key} as something else is stored there`);
    }
  }

  #fail(cause: unknown): void {
    this.#failure ??= { cause };
    this.#frames.fail(cause);
    this.#segments.fail(cause);
  }

  #check(): void {
    this.#options.signal.throwIfAborted();
    if (this.#failure) throw this.#failure.cause;
  }
}
