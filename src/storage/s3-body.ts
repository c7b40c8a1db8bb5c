import { Readable } from 'node:stream';

import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';

import { Failure } from '../lib/failure.ts';
import { releaseIfAlone } from '../lib/release-memory.ts';
import type { GetOptions } from './storage.ts';

/**
 * Reads an answer whole and checks that it is what was asked for: a store or a proxy that ends early, or answers another
 * range, is a failure. A store that knows no ranges answers with the whole object; its part is cut out here.
 */
export async function readBody(
  output: GetObjectCommandOutput,
  { range, into }: Pick<GetOptions, 'range' | 'into'>,
): Promise<Buffer> {
  const { Body: body } = output;
  if (!(body instanceof Readable)) throw wrongAnswer('it has no body');
  const bytes = await collect(body, { length: output.ContentLength, into });
  if (range === undefined) return bytes;
  const answered = parseContentRange(output.ContentRange);
  if (answered === undefined) return bytes.subarray(range.start, range.end);
  const { first, last, total } = answered;
  if (first !== range.start || last + 1 - first !== bytes.length || last + 1 < Math.min(range.end, total)) {
    throw wrongAnswer(`it is for bytes ${first} to ${last} of ${total}, not from ${range.start} to ${range.end - 1}`);
  }
  return bytes.subarray(0, range.end - range.start);
}

async function collect(
  body: Readable,
  { length, into }: { readonly length: number | undefined; readonly into: Buffer | undefined },
): Promise<Buffer> {
  if (length === undefined) return Buffer.concat(await body.toArray());
  const bytes = into && into.length >= length ? into.subarray(0, length) : Buffer.allocUnsafeSlow(length);
  let filled = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array) || filled + chunk.length > length)
      throw wrongAnswer(`it is longer than the ${length} bytes it promised`);
    bytes.set(chunk, filled);
    filled += chunk.length;
    // 64 KiB at most, and many: what piled up until a garbage collection was a sixth of the memory of a restore.
    releaseIfAlone(chunk);
  }
  if (filled < length) throw wrongAnswer(`it ended after ${filled} of the ${length} bytes it promised`);
  return bytes;
}

function parseContentRange(header: string | undefined) {
  if (header === undefined) return undefined;
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(header);
  if (match === null) throw wrongAnswer(`its range cannot be understood: ${header}`);
  const total = match[3] === '*' ? Number.POSITIVE_INFINITY : Number(match[3]);
  return { first: Number(match[1]), last: Number(match[2]), total };
}

function wrongAnswer(why: string): Failure {
  return new Failure('storage-answer-wrong', `Cannot use the answer of the store as ${why}`, {
    nextStep: 'Look for a proxy between this machine and the store that changes or cuts answers.',
  });
}
