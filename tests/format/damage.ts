import { CorruptData } from '../../src/lib/failure.ts';

/** Every way to damage a few bytes that a test can list. */

/** Cut short at every length; long samples at every so many. */
export function* truncations(sample: Buffer): Generator<Buffer> {
  const step = Math.max(1, Math.floor(sample.length / 400));
  for (let length = 0; length < sample.length; length += step) yield sample.subarray(0, length);
}

/** Each bit of each byte flipped; of long samples, one bit of each. */
export function* bitFlips(sample: Buffer): Generator<Buffer> {
  const isLong = sample.length > 1500;
  for (let at = 0; at < sample.length; at += 1) {
    for (let bit = isLong ? at % 8 : 0; bit < 8; bit += isLong ? 8 : 1) {
      const changed = Buffer.from(sample);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      yield changed;
    }
  }
}

const HUGE = [
  Buffer.from('ffffffffffffff0f', 'hex'),
  Buffer.from('ffffffff0f', 'hex'),
  Buffer.alloc(16, 0xff),
  Buffer.from([0]),
];

/** A huge number, or an impossible one, at every place: counts and lengths are among them. */
export function* hugeNumbers(sample: Buffer): Generator<Buffer> {
  const step = Math.max(1, Math.floor(sample.length / 300));
  for (let at = 0; at < sample.length; at += step) {
    for (const huge of HUGE) yield Buffer.concat([sample.subarray(0, at), huge, sample.subarray(at + 1)]);
  }
}

export function* allDamages(sample: Buffer): Generator<Buffer> {
  yield* truncations(sample);
  yield* bitFlips(sample);
  yield* hugeNumbers(sample);
  yield Buffer.concat([sample, Buffer.from([0])]);
  yield Buffer.concat([sample, sample]);
}

export const REFUSED = Symbol('refused');

/** Any other error than CorruptData is one that nobody thought of. */
export function readOrRefuse(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof CorruptData) return REFUSED;
    throw error;
  }
}
