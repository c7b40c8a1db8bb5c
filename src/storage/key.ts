import { InvalidRequest } from '../lib/failure.ts';
import type { ByteRange } from './storage.ts';

const maxKeyBytes = 900;
const maxSegmentBytes = 255;

/**
 * Keys that every store can hold, so that a repository can be copied from any store to any other: up to 900 bytes of UTF-8 in
 * segments of 1 to 255 bytes, without `.` and `..` as segments and without control characters. Throws `InvalidRequest`.
 */
export function checkKey(key: string): void {
  const reason = faultOfText(key) ?? faultOfSegments(key);
  if (reason !== undefined) {
    throw new InvalidRequest(
      'storage-key-invalid',
      `Cannot use a storage key as it ${reason}: ${JSON.stringify(key.slice(0, 80))}`,
    );
  }
}

/** Any start of a valid key is a valid prefix, the empty text too. Throws `InvalidRequest`. */
export function checkPrefix(prefix: string): void {
  const reason = faultOfText(prefix);
  if (reason !== undefined) {
    throw new InvalidRequest(
      'storage-key-invalid',
      `Cannot list a prefix as it ${reason}: ${JSON.stringify(prefix.slice(0, 80))}`,
    );
  }
}

/** Throws `InvalidRequest` unless the range is of whole, ascending numbers. */
export function checkRange(range: ByteRange | undefined): void {
  if (range === undefined) return;
  const { start, end } = range;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new InvalidRequest(
      'storage-range-invalid',
      `Cannot read a range as it is not ascending whole numbers: ${start} to ${end}`,
    );
  }
}

/** Refuses to answer with today's bytes when those of another time were asked for. */
export function refuseAsOf(asOf: Date | undefined, where: string): void {
  if (asOf === undefined) return;
  throw new InvalidRequest(
    'storage-no-versions',
    `Cannot read as of an earlier time as this store is used without versions: ${where}`,
  );
}

/** Order of the keys' UTF-8 bytes; JavaScript's own order differs where a surrogate pair meets U+E000 to U+FFFF. */
export function compareKeys(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

// Code points above U+FFFF come last in UTF-8, yet their surrogates lie before U+E000.
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

function faultOfText(text: string): string | undefined {
  if (!text.isWellFormed()) return 'is not well-formed Unicode';
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f\ufffe\uffff]/u.test(text)) return 'has a control character';
  if (Buffer.byteLength(text) > maxKeyBytes) return `is longer than ${maxKeyBytes} bytes`;
  return undefined;
}

function faultOfSegments(key: string): string | undefined {
  for (const segment of key.split('/')) {
    if (segment === '') return 'has an empty segment';
    if (segment === '.' || segment === '..') return 'has a segment that is only dots';
    if (Buffer.byteLength(segment) > maxSegmentBytes) return `has a segment longer than ${maxSegmentBytes} bytes`;
  }
  return undefined;
}
