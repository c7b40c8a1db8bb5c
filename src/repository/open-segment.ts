import { randomBytes } from 'node:crypto';
import { copyBytes } from './bytes.ts';
import { type Cipher, type ObjectCipher, SALT_BYTES } from './cipher.ts';
import type { FramePlace } from './extent.ts';
import { type BlockRun, encodeTrailer, FooterWriter, type NodeEntry, TRAILER_BYTES } from './footer.ts';
import {
  type Compressed,
  compressSync,
  CONTENT,
  encodeFrame,
  encodeObjectHeader,
  FRAME,
  FRAME_HEADER_BYTES,
  MAX_PLAIN_BYTES,
  OBJECT_HEADER_BYTES,
} from './frame.ts';
import { segmentKey } from './names.ts';

/** More blocks than this would make a footer that is large for its segment. */
const MAX_BLOCKS = 32_768;

export interface ClosedSegment {
  readonly name: string;
  /** Bytes of the object. */
  readonly bytes: Buffer;
  /** Plain bytes of blocks and stored bytes of nodes in it: what `used` is measured against. */
  readonly total: number;
}

/** A segment that is being filled, in a buffer that somebody else owns. */
export class OpenSegment {
  readonly name: string;
  readonly #buffer: Buffer;
  readonly #cipher: ObjectCipher;
  readonly #footer = new FooterWriter();
  #length = OBJECT_HEADER_BYTES;
  #ordinal = 0;
  #blocks = 0;
  #total = 0;

  constructor(name: string, buffer: Buffer, cipher: Cipher) {
    this.name = name;
    this.#buffer = buffer;
    const salt = randomBytes(SALT_BYTES);
    encodeObjectHeader(CONTENT.segment, cipher, salt).copy(buffer);
    this.#cipher = cipher.forObject(segmentKey(name), salt);
  }

  /** Is there room for a frame of so many bytes with these runs (or one node), and the footer after it? */
  hasRoom(bodyLength: number, entries: readonly { readonly path: string }[]): boolean {
    const { overhead } = this.#cipher;
    const footer = this.#footer.lengthWith(entries);
    const frames = 2 * (FRAME_HEADER_BYTES + overhead) + bodyLength + footer;
    return (
      this.#blocks < MAX_BLOCKS &&
      footer <= MAX_PLAIN_BYTES &&
      this.#length + frames + TRAILER_BYTES <= this.#buffer.length
    );
  }

  addData(packed: Compressed, plainLength: number, runs: readonly BlockRun[]): FramePlace {
    const place = this.#append(FRAME.data, packed, plainLength);
    this.#footer.addData(place.length, plainLength, runs);
    for (const run of runs) this.#blocks += run.count;
    this.#total += plainLength;
    return place;
  }

  addNode(packed: Compressed, plainLength: number, node: NodeEntry): FramePlace {
    const place = this.#append(FRAME.node, packed, plainLength);
    this.#footer.addNode(place.length, plainLength, node);
    this.#total += place.length;
    return place;
  }

  close(): ClosedSegment {
    const plain = this.#footer.encode();
    const { length } = this.#append(FRAME.footer, compressSync(plain, 1), plain.length);
    this.#write(encodeTrailer(FRAME_HEADER_BYTES + length));
    return { name: this.name, bytes: this.#buffer.subarray(0, this.#length), total: this.#total };
  }

  #append(kind: (typeof FRAME)[keyof typeof FRAME], packed: Compressed, plainLength: number): FramePlace {
    const { header, body } = encodeFrame({ kind, ordinal: this.#ordinal, plainLength, ...packed }, this.#cipher);
    const offset = this.#length;
    this.#ordinal += 1;
    this.#write(header);
    this.#write(body);
    return { segment: this.name, offset, length: body.length };
  }

  #write(bytes: Buffer): void {
    if (this.#length + bytes.length > this.#buffer.length) throw new RangeError('a segment outgrew its buffer');
    copyBytes(bytes, this.#buffer, this.#length);
    this.#length += bytes.length;
  }
}
