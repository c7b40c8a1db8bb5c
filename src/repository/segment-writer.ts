import type { Storage } from '../storage/storage.ts';
import { untilAborted } from '../lib/until-aborted.ts';
import { BufferPool } from './buffer-pool.ts';
import { copyBytes } from './bytes.ts';
import type { Cipher } from './cipher.ts';
import type { CompressedFrame, Compressor } from './compressor.ts';
import { BLOCK_BYTES, type FrameHandle, type FramePlace } from './extent.ts';
import { type BlockRun, type NodeEntry, runsWithin } from './footer.ts';
import { compressChecked } from './frame.ts';
import { type AttemptName, segmentKey, segmentName } from './names.ts';
import { OpenSegment } from './open-segment.ts';
import { putOnce } from './put-once.ts';

export interface SegmentWriterOptions {
  readonly storage: Storage;
  readonly cipher: Cipher;
  readonly attempt: AttemptName;
  /** An object's size at most: a frame, and 128 KiB for the footer. */
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
  /** What went wrong, once: buffers that are under way do not come back. */
  readonly onFailure: (cause: unknown) => void;
}

/** Headers, tags and the trailer of a segment that has one frame and its footer: at most. */
const BESIDE_BODIES = 256;

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
  /** Called when the buffer's bytes are not needed any more. */
  readonly release: () => void;
}

/** Where a block comes from. */
export interface BlockOrigin {
  readonly path: string;
  readonly block: number;
}

/**
 * Bundles blocks into frames, frames into segments, and uploads segments. Frames are compressed at the same time and
 * placed in order. Memory is two fixed pools; who adds a block while both are used up waits in `makeRoom`. When the signal aborts,
 * whoever waits learns so at once, whether or not the store does.
 */
export class SegmentWriter implements Disposable {
  /** By the segment's number: objects with names would be the largest thing in memory for a large database. */
  readonly #sizes: number[] = [];
  readonly #totals: number[] = [];
  readonly #options: SegmentWriterOptions;
  readonly #frames: BufferPool;
  readonly #segments: BufferPool;
  readonly #uploads = new Set<Promise<void>>();
  readonly #compressing = new Set<Promise<void>>();
  #failure: { readonly cause: unknown } | undefined;
  /** A frame with more runs might not fit into an empty segment together with its footer. */
  readonly #maxRuns: number;
  #frame: OpenFrame | undefined;
  #segment: { readonly open: OpenSegment; readonly buffer: Buffer } | undefined;
  #placed: Promise<void> = Promise.resolve();
  #number = 0;
  #uploadedBytes = 0;
  readonly #onAbort = (): void => this.#fail(this.#options.signal.reason);

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    this.#maxRuns = Math.max(1, runsWithin(options.segmentBytes - options.frameBytes - BESIDE_BODIES));
    this.#frames = new BufferPool({
      count: options.compressions + 1,
      size: options.frameBytes,
      isShared: true,
    });
    this.#segments = new BufferPool({ count: options.uploads + 1, size: options.segmentBytes });
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  [Symbol.dispose](): void {
    this.#options.signal.removeEventListener('abort', this.#onAbort);
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
    const frame = this.#frame;
    return (
      frame !== undefined && frame.length + BLOCK_BYTES <= frame.buffer.length && frame.runs.length < this.#maxRuns
    );
  }

  async makeRoom(): Promise<void> {
    this.#check();
    await this.#submitOpen();
    const buffer = await this.#frames.wait();
    this.#frame = openFrame(buffer, () => this.#frames.give(buffer));
  }

  /** Begins a frame in a buffer of the caller's, which `release` gives back: its blocks are there already. */
  async beginFrame(whole: { readonly buffer: Buffer; readonly release: () => void }): Promise<WholeFrame> {
    this.#check();
    await this.#submitOpen();
    const frame = openFrame(whole.buffer, whole.release);
    return {
      get length() {
        return frame.length;
      },
      append: (length, origin) => append(frame, length, origin),
      submit: async (packed) => this.#submit(frame, packed),
    };
  }

  /** Copies the block. Only when `hasRoom`. */
  addBlock(bytes: Uint8Array, origin: BlockOrigin): PlacedBlock {
    const frame = this.#frame;
    if (!frame) throw new RangeError('no room for a block');
    copyBytes(bytes, frame.buffer, frame.length);
    return append(frame, bytes.length, origin);
  }

  /** Places a node at once. Only from `onPlaced` or after `drain`: there is one place where things are put in order. */
  async addNode(plain: Buffer, node: NodeEntry): Promise<FramePlace> {
    const packed = compressChecked(plain);
    const segment = await this.#segmentFor(packed.body.length, [node]);
    return segment.addNode(packed, plain.length, node);
  }

  /** Gives every block its place and calls `onPlaced`, which new frames alone would not do where little is new. */
  async settle(): Promise<void> {
    await this.drain();
    this.#placed = this.#placed.then(async () => this.#options.onPlaced());
    this.#placed.catch((cause: unknown) => this.#fail(cause));
    await untilAborted(this.#placed, this.#options.signal);
  }

  /** Every block has its place when this resolves. */
  async drain(): Promise<void> {
    await this.#submitOpen();
    await untilAborted(this.#placed, this.#options.signal);
    this.#check();
  }

  /** Closes the open segment and waits until all is uploaded. */
  async finish(): Promise<void> {
    await this.drain();
    this.#closeSegment();
    await untilAborted(Promise.all(this.#uploads), this.#options.signal);
    this.#check();
  }

  async #submitOpen(): Promise<void> {
    const frame = this.#frame;
    this.#frame = undefined;
    if (frame && frame.length > 0) await this.#submit(frame);
    else frame?.release();
  }

  /** Resolves when the frame is being compressed, of which only so many are at once. @param ready what compressing it gave */
  async #submit(frame: OpenFrame, ready?: CompressedFrame): Promise<void> {
    while (!ready && this.#compressing.size >= this.#options.compressions) await Promise.race(this.#compressing);
    const packed = ready ? Promise.resolve(ready) : this.#compress(frame);
    this.#placed = this.#placed.then(async () => {
      const done = await packed;
      const segment = await this.#segmentFor(done.body.length, frame.runs);
      frame.handle.place = segment.addData(done, frame.length, frame.runs);
      done.release();
      frame.release();
      await this.#options.onPlaced();
    });
    this.#placed.catch((cause: unknown) => this.#fail(cause));
  }

  async #compress({ buffer, length }: OpenFrame): Promise<CompressedFrame> {
    const packed = this.#options.compressor.compress(buffer.subarray(0, length));
    const ended: Promise<void> = packed.then(
      () => void this.#compressing.delete(ended),
      () => void this.#compressing.delete(ended),
    );
    this.#compressing.add(ended);
    return packed;
  }

  async #segmentFor(bodyLength: number, entries: readonly { readonly path: string }[]): Promise<OpenSegment> {
    if (this.#segment && !this.#segment.open.hasRoom(bodyLength, entries)) this.#closeSegment();
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
    const { storage, signal } = this.#options;
    const upload = putOnce(storage, segmentKey(name), { bytes, signal }).then(() => {
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

  #fail(cause: unknown): void {
    if (!this.#failure) this.#options.onFailure(cause);
    this.#failure ??= { cause };
    this.#frames.fail(cause);
    this.#segments.fail(cause);
  }

  #check(): void {
    this.#options.signal.throwIfAborted();
    if (this.#failure) throw this.#failure.cause;
  }
}

/** A frame whose blocks are appended where they lie, one after the other, until it is submitted. */
export interface WholeFrame {
  readonly length: number;
  append(length: number, origin: BlockOrigin): PlacedBlock;
  /** @param packed its bytes, compressed; without it they are compressed now */
  submit(packed?: CompressedFrame): Promise<void>;
}

/** The frame that will hold a block, and where in it. */
export interface PlacedBlock {
  readonly frame: FrameHandle;
  readonly plainOffset: number;
}

function openFrame(buffer: Buffer, release: () => void): OpenFrame {
  return { handle: { place: undefined }, buffer, length: 0, runs: [], release };
}

function append(frame: OpenFrame, length: number, { path, block }: BlockOrigin): PlacedBlock {
  const plainOffset = frame.length;
  frame.length += length;
  const last = frame.runs.at(-1);
  if (last && last.path === path && last.firstBlock + last.count === block) {
    last.count += 1;
    last.bytes += length;
  } else frame.runs.push({ path, firstBlock: block, count: 1, bytes: length });
  return { frame: frame.handle, plainOffset };
}
