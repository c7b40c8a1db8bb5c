import { setTimeout as sleep } from 'node:timers/promises';

/** What happens to the bytes of a request or a response on their way. */
export type BodyFault =
  /** Exactly so many bytes arrive, then the connection breaks; a body that is shorter passes. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Exactly so many bytes arrive, then none, with the connection open. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number };

const sliceBytes = 32 << 10;

/** For the middle of a pipeline. @param signal aborts when the exchange is over. */
export function actOnBody(fault: BodyFault | undefined, signal: AbortSignal) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    if (fault === undefined) yield* source;
    else if (fault.kind === 'throttle') yield* throttle(source, fault.bytesPerSecond);
    else yield* breakOff(source, fault, signal);
  };
}

async function* breakOff(
  source: AsyncIterable<Buffer>,
  { kind, afterBytes }: Extract<BodyFault, { afterBytes: number }>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let left = afterBytes;
  // Leaving the loop would close the source, so it is left by an error only.
  for await (const chunk of source) {
    yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.length);
    if (left === 0) await end(kind, signal);
  }
  if (left === 0) await end(kind, signal);
}

async function end(kind: 'cut' | 'stall', signal: AbortSignal): Promise<never> {
  // What was passed on is to leave this process before the connection is torn down.
  if (kind === 'cut') await sleep(20);
  else await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw new Error('the connection breaks here');
}

async function* throttle(source: AsyncIterable<Buffer>, bytesPerSecond: number): AsyncGenerator<Buffer> {
  const begin = performance.now();
  let passed = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += sliceBytes) {
      const slice = chunk.subarray(at, at + sliceBytes);
      passed += slice.length;
      // A sleep may end late, and takes whole milliseconds.
      const earlyMs = (passed / bytesPerSecond) * 1000 - (performance.now() - begin);
      if (earlyMs > 1) await sleep(earlyMs);
      yield slice;
    }
  }
}
