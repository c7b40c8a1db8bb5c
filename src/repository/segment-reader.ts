import type { Storage } from '../storage/storage.ts';
import type { Cipher } from './cipher.ts';
import { decodeFooter, decodeTrailer, type FooterFrame, TRAILER_BYTES } from './footer.ts';
import { CONTENT, OBJECT_HEADER_BYTES, openFrameSync, openObjectHeader, unreadable } from './frame.ts';
import { segmentKey } from './names.ts';

/** Footers are mostly smaller than this, so one read brings the whole. */
const TAIL_BYTES = 64 << 10;

export interface ReadFooterOptions {
  readonly storage: Storage;
  readonly cipher: Cipher;
  readonly signal: AbortSignal;
}

/** Lists the frames of a segment from its footer. Throws CorruptData when the footer is not whole. */
export async function readFooter(
  segment: { readonly name: string; readonly size: number },
  options: ReadFooterOptions,
): Promise<FooterFrame[]> {
  const key = segmentKey(segment.name);
  const { storage, cipher, signal } = options;
  const read = (start: number, end: number): Promise<Buffer> => storage.get(key, { range: { start, end }, signal });
  if (segment.size < OBJECT_HEADER_BYTES + TRAILER_BYTES) throw unreadable(key, `it has ${segment.size} bytes`);
  const tail = await read(Math.max(0, segment.size - TAIL_BYTES), segment.size);
  const length = decodeTrailer(tail.subarray(tail.length - TRAILER_BYTES), segment.size, key);
  const end = segment.size - TRAILER_BYTES;
  const isInTail = length + TRAILER_BYTES <= tail.length;
  const bytes = isInTail
    ? tail.subarray(tail.length - TRAILER_BYTES - length, tail.length - TRAILER_BYTES)
    : await read(end - length, end);
  const header = await read(0, OBJECT_HEADER_BYTES);
  const object = openObjectHeader(header, { content: CONTENT.segment, cipher, name: key });
  return decodeFooter(openFrameSync({ bytes, cipher: object, name: key }), key, end - length);
}
