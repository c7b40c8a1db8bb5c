import { describe, expect, test } from 'vitest';
import { eachUntilAborted, untilAborted } from './until-aborted.ts';

const never = new Promise<never>(() => undefined);
const stop = new Error('stop');

function abortSoon(): AbortSignal {
  const end = new AbortController();
  setImmediate(() => end.abort(stop));
  return end.signal;
}

describe('work that hangs', () => {
  test('ends with the reason when the signal aborts', async () => {
    await expect(untilAborted(never, abortSoon())).rejects.toBe(stop);
    await expect(untilAborted(never, AbortSignal.abort(stop))).rejects.toBe(stop);
  });

  test('in an iteration ends it, whatever its cleaning up waits for', async () => {
    async function* items(): AsyncGenerator<number> {
      try {
        yield 1;
        await never;
      } finally {
        await never;
      }
    }
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of eachUntilAborted(items(), abortSoon())) seen.push(item);
    })();
    await expect(reading).rejects.toBe(stop);
    expect(seen).toEqual([1]);
  });
});

test('work that ends gives what it came to, and an error is its own', async () => {
  const { signal } = new AbortController();
  expect(await untilAborted(Promise.resolve(7), signal)).toBe(7);
  expect(await untilAborted(Promise.resolve(7), undefined)).toBe(7);
  await expect(untilAborted(Promise.reject(stop), signal)).rejects.toBe(stop);
});

test('an iteration that is left cleans up first', async () => {
  let isClean = false;
  async function* items(): AsyncGenerator<number> {
    try {
      yield 1;
      yield 2;
    } finally {
      await Promise.resolve();
      isClean = true;
    }
  }
  for await (const item of eachUntilAborted(items(), undefined)) if (item === 1) break;
  expect(isClean).toBe(true);
});
