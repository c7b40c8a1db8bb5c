import { randomBytes } from 'node:crypto';
import { type Cipher, SALT_BYTES } from './cipher.ts';
import {
  type Compressed,
  compressSync,
  CONTENT,
  decodeFrameHeader,
  encodeFrame,
  encodeObjectHeader,
  FRAME,
  FRAME_HEADER_BYTES,
  OBJECT_HEADER_BYTES,
  openFrameSync,
  openObjectHeader,
  unreadable,
} from './frame.ts';

export const PART_BYTES = 1 << 20;
/** A reader takes no more than this: the largest log that is kept, and far more than any root of an index. */
export const MAX_OBJECT_PLAIN_BYTES = 64 << 20;

/** As stored: headers and tags come on top. */
export const MAX_OBJECT_BYTES = MAX_OBJECT_PLAIN_BYTES + (1 << 20);

export interface SmallObjectOptions {
  readonly content: typeof CONTENT.index | typeof CONTENT.log;
  readonly cipher: Cipher;
  /** The object's key: associated data of every frame. */
  readonly name: string;
}

/** A part of an object's plain bytes, compressed already. */
export interface PackedPart extends Compressed {
  readonly plainLength: number;
}

/** An object that is written and read whole: the root of an index, a log. */
export function encodeObject(plain: Buffer, options: SmallObjectOptions): Buffer {
  const parts: PackedPart[] = [];
  for (let at = 0; at < plain.length || at === 0; at += PART_BYTES) {
    const part = plain.subarray(at, at + PART_BYTES);
    parts.push({ ...compressSync(part, 3), plainLength: part.length });
  }
  return encodeParts(parts, options);
}

export function encodeParts(parts: readonly PackedPart[], { content, cipher, name }: SmallObjectOptions): Buffer {
  const salt = randomBytes(SALT_BYTES);
  const object = cipher.forObject(name, salt);
  const frames = parts.map((part, ordinal) => encodeFrame({ kind: FRAME.text, ordinal, ...part }, object));
  return Buffer.concat([
    encodeObjectHeader(content, cipher, salt),
    ...frames.flatMap(({ header, body }) => [header, body]),
  ]);
}

export function decodeObject(bytes: Buffer, { content, cipher, name }: SmallObjectOptions): Buffer {
  const object = openObjectHeader(bytes, { content, cipher, name });
  const parts: Buffer[] = [];
  let plainBytes = 0;
  for (let at = OBJECT_HEADER_BYTES; at < bytes.length;) {
    const { bodyLength, ordinal, kind, plainLength } = decodeFrameHeader(bytes.subarray(at), name);
    plainBytes += plainLength;
    if (ordinal !== parts.length || kind !== FRAME.text) throw unreadable(name, 'its frames are out of order');
    if (plainBytes > MAX_OBJECT_PLAIN_BYTES) throw unreadable(name, 'it is larger than any object of its kind');
    const end = at + FRAME_HEADER_BYTES + bodyLength;
    parts.push(openFrameSync({ bytes: bytes.subarray(at, end), cipher: object, name }));
    at = end;
  }
  return Buffer.concat(parts);
}
