import { CorruptData } from '../lib/failure.ts';

/** Appends little binary fields to a buffer that grows. */
export class ByteWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity = 1024) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
    return this;
  }

  /** Unsigned LEB128, up to 2^53 - 1. */
  varint(value: number): this {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** UTF-8, its length in bytes before it. */
  text(value: string): this {
    const bytes = Buffer.from(value, 'utf8');
    return this.varint(bytes.length).bytes(bytes);
  }

  /** A view of what was written; valid until the next write. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(extra: number): void {
    if (this.#length + extra <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + extra));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** A part of a buffer, told without a view of it: where there are many, making the views takes its time. */
export interface ByteSpan {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export function wholeSpan(bytes: Uint8Array): ByteSpan {
  return { bytes, start: 0, end: bytes.length };
}

/**
 * Copies the span into `to`. Where one of the buffers is shared with a thread, `set`, to which Node leaves copies of whole ones, goes
 * word by word and takes four times as long: so the first byte is copied apart.
 */
export function copySpan({ bytes, start, end }: ByteSpan, to: Buffer, at: number): void {
  if (start >= end) return;
  if (end > bytes.length || at + end - start > to.length) throw new RangeError('no room for the bytes');
  to[at] = bytes[start] ?? 0;
  Buffer.prototype.copy.call(bytes, to, at + 1, start + 1, end);
}

export function copyBytes(from: Uint8Array, to: Buffer, at: number): void {
  copySpan(wholeSpan(from), to, at);
}

/** A copy in memory of its own: a few bytes of a larger buffer, or of the pool that Node cuts small ones from, keep all of it in memory. */
export function ownCopy(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}

/** Reads what `ByteWriter` wrote. Every step checks that it stays inside the buffer; lengths are checked before they are used. */
export class ByteReader {
  readonly #buffer: Buffer;
  readonly #what: string;
  #position = 0;

  /** @param what names the thing for error messages, e.g. `the footer of …` */
  constructor(buffer: Buffer, what: string) {
    this.#buffer = buffer;
    this.#what = what;
  }

  get remaining(): number {
    return this.#buffer.length - this.#position;
  }

  u8(): number {
    const byte = this.#buffer[this.#position];
    if (byte === undefined) throw this.damaged('1 bytes wanted, 0 left');
    this.#position += 1;
    return byte;
  }

  /** @param max anything larger is damage: counts and lengths are bounded before memory is taken for them. */
  varint(max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (value > max || !Number.isSafeInteger(value)) throw this.damaged(`number ${value} is above ${max}`);
      if (byte < 0x80) return value;
      scale *= 0x80;
      if (scale > 2 ** 49) throw this.damaged('a number is too long');
    }
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    if (length > this.remaining) throw this.damaged(`${length} bytes wanted, ${this.remaining} left`);
    const view = this.#buffer.subarray(this.#position, this.#position + length);
    this.#position += length;
    return view;
  }

  text(maxBytes: number): string {
    const bytes = this.bytes(this.varint(maxBytes));
    const value = bytes.toString('utf8');
    if (Buffer.byteLength(value) !== bytes.length || !Buffer.from(value).equals(bytes))
      throw this.damaged('a text is not UTF-8');
    return value;
  }

  end(): void {
    if (this.remaining !== 0) throw this.damaged(`${this.remaining} bytes too many`);
  }

  damaged(how: string): CorruptData {
    return new CorruptData(
      'repository-damaged',
      `Cannot read ${this.#what} as it is damaged: ${how} at byte ${this.#position}`,
    );
  }
}
