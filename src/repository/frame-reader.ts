import type { Storage } from '../storage/storage.ts';
import { ofSegment } from './bad-segment.ts';
import type { Cipher, ObjectCipher } from './cipher.ts';
import type { FramePlace, Reference } from './extent.ts';
import {
  CONTENT,
  FRAME_HEADER_BYTES,
  isChecked,
  OBJECT_HEADER_BYTES,
  openFrameSync,
  openObjectHeader,
  unreadable,
  wrongBytes,
} from './frame.ts';
import { segmentKey } from './names.ts';

/** Nodes lie together, so a read brings what follows too: the next ones are most likely wanted next. */
const READ_AHEAD = 64 << 10;
const CACHED_READS = 32;
const CACHED_CIPHERS = 4096;
/** Blocks of one frame are mostly wanted one after the other. */
const CACHED_FRAMES = 4;

interface CachedRead {
  readonly key: string;
  readonly start: number;
  readonly bytes: Promise<Buffer>;
  /** What was lent to the store to read into. */
  readonly memory: Buffer;
}

export interface FrameReaderOptions {
  readonly storage: Storage;
  readonly cipher: Cipher;
  readonly signal: AbortSignal;
}

/** Reads single frames out of segments with ranged GETs, and keeps the last few reads. Verifies every node that it returns. */
export class FrameReader {
  readonly #options: FrameReaderOptions;
  readonly #reads = new Map<string, CachedRead>();
  /** Memory of reads that nobody looks at any more; new memory for each would pile up until a garbage collection. */
  readonly #spare: Buffer[] = [];
  readonly #ciphers = new Map<string, Promise<ObjectCipher>>();
  readonly #frames = new Map<string, Promise<Buffer>>();

  constructor(options: FrameReaderOptions) {
    this.#options = options;
  }

  /** A node's plain bytes. Throws BadSegment. */
  async node({ id, frame }: Reference): Promise<Buffer> {
    const place = frame.place;
    if (!place) throw new RangeError('a node without a place');
    return ofSegment(place.segment, this.#node(place, id));
  }

  /** One block, or the part of a node's frame that it is. Throws BadSegment. */
  async block({ id, frame, plainOffset }: Reference, length: number): Promise<Buffer> {
    const place = frame.place;
    if (!place) return Buffer.alloc(length);
    return ofSegment(place.segment, this.#block(place, { id, from: plainOffset, to: plainOffset + length }));
  }

  async #node(place: FramePlace, id: Buffer): Promise<Buffer> {
    const plain = await this.frame(place);
    if (!this.#options.cipher.blockId(plain).equals(id)) throw wrongBytes(segmentKey(place.segment));
    return plain;
  }

  async #block(
    place: FramePlace,
    { id, from, to }: { readonly id: Buffer; readonly from: number; readonly to: number },
  ): Promise<Buffer> {
    const block = (await this.#cachedFrame(place)).subarray(from, to);
    if (block.length !== to - from || !this.#options.cipher.blockId(block).equals(id))
      throw wrongBytes(segmentKey(place.segment));
    return block;
  }

  /** As `frame`, for what is not verified by its id: damaged, it is not given out. */
  async checkedFrame(place: FramePlace): Promise<Buffer> {
    return this.#frame(place, (bytes, cipher) => {
      if (!isChecked(bytes, cipher)) throw unreadable(segmentKey(place.segment), 'a frame has no checksum');
    });
  }

  async frame(place: FramePlace): Promise<Buffer> {
    return this.#frame(place, () => undefined);
  }

  async #frame(place: FramePlace, check: (bytes: Buffer, cipher: ObjectCipher) => void): Promise<Buffer> {
    const key = segmentKey(place.segment);
    const cipher = await this.objectCipher(place.segment);
    const at = { key, start: place.offset, length: FRAME_HEADER_BYTES + place.length };
    return this.#read(at, (bytes) => {
      check(bytes, cipher);
      const plain = openFrameSync({ bytes, cipher, name: key });
      return plain.buffer === bytes.buffer ? Buffer.from(plain) : plain;
    });
  }

  async #cachedFrame(place: FramePlace): Promise<Buffer> {
    const key = `${place.segment}@${place.offset}`;
    const known = this.#frames.get(key);
    if (known) return known;
    const plain = this.frame(place);
    remember(this.#frames, { key, value: plain, max: CACHED_FRAMES });
    return plain;
  }

  /** Derived from the salt in the segment's header. */
  async objectCipher(segment: string): Promise<ObjectCipher> {
    const key = segmentKey(segment);
    const known = this.#ciphers.get(key);
    if (known) return known;
    const { cipher, storage, signal } = this.#options;
    const opened =
      cipher.keyId === undefined
        ? Promise.resolve(cipher.forObject(key, Buffer.alloc(0)))
        : storage
            .get(key, { range: { start: 0, end: OBJECT_HEADER_BYTES }, signal })
            .then((header) => openObjectHeader(header, { content: CONTENT.segment, cipher, name: key }));
    remember(this.#ciphers, { key, value: opened, max: CACHED_CIPHERS });
    return opened;
  }

  /** @param use gets the bytes, which are there until it returns. */
  async #read(
    { key, start, length }: { readonly key: string; readonly start: number; readonly length: number },
    use: (bytes: Buffer) => Buffer,
  ): Promise<Buffer> {
    for (const read of this.#reads.values()) {
      if (read.start > start || start + length > read.start + READ_AHEAD || read.key !== key) continue;
      const bytes = (await read.bytes).subarray(start - read.start, start - read.start + length);
      if (bytes.length === length) return use(bytes);
    }
    const { storage, signal } = this.#options;
    const memory = this.#spare.pop() ?? Buffer.allocUnsafeSlow(READ_AHEAD);
    const range = { start, end: start + Math.max(length, READ_AHEAD) };
    const bytes = storage.get(key, { range, signal, into: memory });
    bytes.catch(() => undefined);
    remember(this.#reads, {
      key: `${key}@${start}`,
      value: { key, start, bytes, memory },
      max: CACHED_READS,
      onGone: (read) => this.#takeBack(read),
    });
    const found = (await bytes).subarray(0, length);
    if (found.length !== length) throw unreadable(key, `it ends before byte ${start + length}`);
    return use(found);
  }

  /** Whoever found this read waits for it already, and has used it when the promises that follow from it are through. */
  #takeBack({ bytes, memory }: CachedRead): void {
    bytes.then(
      () => setImmediate(() => this.#spare.push(memory)),
      // The store may still write into it.
      () => undefined,
    );
  }
}

/** A failed read is forgotten, so that it is tried again. `onGone` gets what had to go for it. */
function remember<T extends CachedRead | Promise<unknown>>(
  cache: Map<string, T>,
  entry: { key: string; value: T; max: number; onGone?: (value: T) => void },
): void {
  cache.set(entry.key, entry.value);
  const promise = entry.value instanceof Promise ? entry.value : entry.value.bytes;
  promise.catch(() => cache.delete(entry.key));
  const [oldest] = cache;
  if (cache.size <= entry.max || oldest === undefined) return;
  cache.delete(oldest[0]);
  entry.onGone?.(oldest[1]);
}
