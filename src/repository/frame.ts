import { constants, zstdCompressSync, zstdDecompressSync, type ZstdOptions } from 'node:zlib';
import { CorruptData } from '../lib/failure.ts';
import { type Cipher, KEY_ID_BYTES, type ObjectCipher, SALT_BYTES } from './cipher.ts';

/**
 * Objects that hold bytes (segments, indexes, logs) are alike: a header of 64 bytes, then frames. A frame is a header of
 * 16 bytes in the clear and a body: raw or one zstd frame, encrypted where the repository is.
 */

export const OBJECT_HEADER_BYTES = 64;
export const FRAME_HEADER_BYTES = 16;
/** No frame holds more plain bytes. A reader takes memory for no more than this. */
export const MAX_PLAIN_BYTES = 4 << 20;
/** Nor more stored bytes: what does not shrink is kept raw. */
export const MAX_BODY_BYTES = MAX_PLAIN_BYTES + (64 << 10);
/** 8 MiB: what zstd's level 19 uses. */
const MAX_WINDOW_LOG = 23;
/** Of a zstd frame (RFC 8878), and in the byte after it, the flag that says that a checksum follows the content. */
const ZSTD_MAGIC = Buffer.from('28b52ffd', 'hex');
const ZSTD_HAS_CHECKSUM = 0x04;
const MAGIC = Buffer.from('HOLDFAST');
const FORMAT = 1;

export const CONTENT = { segment: 1, index: 2, log: 3 } as const;
export type Content = (typeof CONTENT)[keyof typeof CONTENT];

export const FRAME = { data: 1, node: 2, footer: 3, text: 4 } as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];
export const CODEC = { raw: 0, zstd: 1 } as const;

/** zstd's levels 1 to 19; 0 stores bytes as they are. */
export type CompressionLevel = number;

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly codec: number;
  readonly ordinal: number;
  readonly plainLength: number;
  /** Bytes of the body as stored, with the tag. */
  readonly bodyLength: number;
}

export function encodeObjectHeader(content: Content, cipher: Cipher, salt: Buffer): Buffer {
  const header = Buffer.alloc(OBJECT_HEADER_BYTES);
  MAGIC.copy(header, 0);
  header[8] = FORMAT;
  header[9] = content;
  if (cipher.keyId !== undefined) {
    header[10] = 1;
    Buffer.from(cipher.keyId, 'hex').copy(header, 16);
    salt.copy(header, 16 + KEY_ID_BYTES);
  }
  return header;
}

/** Checks a header against what is expected; @returns the object's cipher. */
export function openObjectHeader(
  header: Buffer,
  options: { content: Content; cipher: Cipher; name: string },
): ObjectCipher {
  const { content, cipher, name } = options;
  if (header.length < OBJECT_HEADER_BYTES || !header.subarray(0, 8).equals(MAGIC))
    throw unreadable(name, 'it does not begin as one of this format');
  if (header[8] !== FORMAT) throw unreadable(name, `it is of format ${header[8]}, this program reads ${FORMAT}`);
  if (header[9] !== content) throw unreadable(name, `it is of kind ${header[9]}, not ${content}`);
  const keyId = header[10] === 0 ? undefined : header.subarray(16, 16 + KEY_ID_BYTES).toString('hex');
  if (keyId !== cipher.keyId)
    throw unreadable(
      name,
      `it was written with key ${keyId ?? 'none'}, this repository's is ${cipher.keyId ?? 'none'}`,
    );
  return cipher.forObject(name, header.subarray(32, 32 + SALT_BYTES));
}

export interface EncodeFrame {
  readonly kind: FrameKind;
  readonly ordinal: number;
  readonly plainLength: number;
  readonly codec: number;
  readonly body: Buffer;
}

/** @returns header and body, to be stored one after the other. */
export function encodeFrame(
  frame: EncodeFrame,
  cipher: ObjectCipher,
): { readonly header: Buffer; readonly body: Buffer } {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header[0] = frame.kind;
  header[1] = frame.codec;
  header.writeUInt32LE(frame.ordinal, 4);
  header.writeUInt32LE(frame.plainLength, 8);
  header.writeUInt32LE(frame.body.length + cipher.overhead, 12);
  return { header, body: cipher.seal({ header, ordinal: frame.ordinal, body: frame.body }) };
}

export function decodeFrameHeader(bytes: Buffer, name: string): FrameHeader {
  if (bytes.length < FRAME_HEADER_BYTES) throw unreadable(name, 'a frame header is cut short');
  const kind = Object.values(FRAME).find((each) => each === bytes[0]);
  const codec = bytes[1] ?? 255;
  const plainLength = bytes.readUInt32LE(8);
  const bodyLength = bytes.readUInt32LE(12);
  if (kind === undefined || codec > CODEC.zstd || bytes.readUInt16LE(2) !== 0)
    throw unreadable(name, 'a frame header makes no sense');
  if (plainLength > MAX_PLAIN_BYTES || bodyLength > MAX_BODY_BYTES)
    throw unreadable(name, `a frame claims ${plainLength} bytes in ${bodyLength}`);
  return { kind, codec, ordinal: bytes.readUInt32LE(4), plainLength, bodyLength };
}

interface OpenFrame {
  /** Header and body. */
  readonly bytes: Buffer;
  readonly cipher: ObjectCipher;
  readonly name: string;
}

/** Decrypts and decompresses on this thread. */
export function openFrameSync(frame: OpenFrame): Buffer {
  const { header, body } = decrypt(frame);
  if (header.codec === CODEC.raw) return body;
  return whole(header, frame.name, () => zstdDecompressSync(body, decompression(header)));
}

export interface Compressed {
  readonly codec: number;
  readonly body: Buffer;
}

export function compressSync(plain: Buffer, level: CompressionLevel): Compressed {
  return level === 0
    ? { codec: CODEC.raw, body: plain }
    : keepShorter(plain, zstdCompressSync(plain, compression(level, plain.length)));
}

/** One zstd frame with a checksum, even where that is longer: it tells whether it is what was written before anybody knows the id. */
export function compressChecked(plain: Buffer): Compressed {
  const options = compression(1, plain.length);
  const params = { ...options.params, [constants.ZSTD_c_checksumFlag]: 1 };
  return { codec: CODEC.zstd, body: zstdCompressSync(plain, { ...options, params }) };
}

/** Would opening the frame fail if it was not what was written? By the cipher's tag, or by zstd's checksum. */
export function isChecked(bytes: Buffer, cipher: ObjectCipher): boolean {
  if (cipher.key !== undefined) return true;
  const body = bytes.subarray(FRAME_HEADER_BYTES);
  const isZstd = bytes[1] === CODEC.zstd && body.length > ZSTD_MAGIC.length && body.indexOf(ZSTD_MAGIC) === 0;
  return isZstd && ((body[ZSTD_MAGIC.length] ?? 0) & ZSTD_HAS_CHECKSUM) !== 0;
}

export function keepShorter(plain: Buffer, packed: Buffer): Compressed {
  return packed.length < plain.length ? { codec: CODEC.zstd, body: packed } : { codec: CODEC.raw, body: plain };
}

/** One output chunk for the whole frame: zlib's default of 16 KiB would cross to the thread pool once for each. */
function compression(level: CompressionLevel, length: number): ZstdOptions & { params: Record<number, number> } {
  return {
    chunkSize: Math.max(1024, length + (length >> 7) + 512),
    pledgedSrcSize: length,
    params: { [constants.ZSTD_c_compressionLevel]: level },
  };
}

/** Output and window are bounded, so that a small frame cannot take much memory. */
function decompression(header: FrameHeader): object {
  return {
    chunkSize: Math.max(64, header.plainLength + 1),
    maxOutputLength: Math.max(1, header.plainLength),
    params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
  };
}

function decrypt({ bytes, cipher, name }: OpenFrame): { header: FrameHeader; body: Buffer } {
  const header = decodeFrameHeader(bytes, name);
  if (bytes.length !== FRAME_HEADER_BYTES + header.bodyLength) throw unreadable(name, 'a frame is cut short');
  const body = bytes.subarray(FRAME_HEADER_BYTES);
  const opened = cipher.open({ header: bytes.subarray(0, FRAME_HEADER_BYTES), ordinal: header.ordinal, body });
  if (header.codec === CODEC.raw && opened.length !== header.plainLength)
    throw unreadable(name, 'a frame has another length than it says');
  return { header, body: opened };
}

function whole(header: FrameHeader, name: string, decompress: () => Buffer): Buffer {
  let plain: Buffer;
  try {
    plain = decompress();
  } catch (cause) {
    throw asUnreadable(name, cause);
  }
  if (plain.length !== header.plainLength)
    throw unreadable(name, `a frame has ${plain.length} bytes instead of ${header.plainLength}`);
  return plain;
}

function asUnreadable(name: string, cause: unknown): CorruptData {
  return cause instanceof CorruptData ? cause : unreadable(name, 'a frame does not decompress', cause);
}

export function unreadable(name: string, why: string, cause?: unknown): CorruptData {
  return new CorruptData('repository-damaged', `Cannot read ${name} as ${why}`, { cause });
}

/** A block is not what its id says. @param name the object's key */
export function wrongBytes(name: string): CorruptData {
  return new CorruptData('wrong-bytes', `Cannot use a block of ${name} as its bytes are not what was written`, {
    nextStep: 'Run `holdfast repository check --read-data` to see which backups are affected, and take a new backup.',
  });
}
