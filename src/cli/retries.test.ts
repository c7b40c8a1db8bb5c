import { expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { Failure, PermanentFailure } from '../lib/failure.ts';
import { withRetries } from './retries.ts';

/** Keeps what was said and how long was waited; nothing takes time. */
function patience(controller = new AbortController()) {
  const [pauses, warnings]: [number[], string[]] = [[], []];
  const sleep = async (ms: number): Promise<void> => void pauses.push(ms);
  const context = {
    signal: controller.signal,
    clock: { ...systemClock, sleep },
    output: { warn: (message: string) => void warnings.push(message) },
  };
  return { context, pauses, warnings };
}

test('what may pass is tried again, later and later, and each time is told of', async () => {
  const { context, pauses, warnings } = patience();
  const result = await withRetries(context, 5, async (failures) => {
    if (failures < 4) throw new Failure('x', `Cannot: ${failures}`);
    return failures;
  });
  expect(result).toBe(4);
  expect(pauses).toEqual([10_000, 30_000, 90_000, 270_000]);
  expect(warnings[1]).toBe('Cannot: 1. The next attempt begins in 30 s.');
});

test('the last failure is thrown when no attempt is left', async () => {
  const { context, pauses } = patience();
  const always = withRetries(context, 1, async (failures) => Promise.reject(new Failure('x', `${failures}`)));
  await expect(always).rejects.toThrow('1');
  expect(pauses).toHaveLength(1);
});

test('what cannot pass, and what was interrupted, is not tried again', async () => {
  const { context, pauses } = patience();
  const permanent = withRetries(context, 3, async () => Promise.reject(new PermanentFailure('x', 'no')));
  await expect(permanent).rejects.toThrow('no');
  const controller = new AbortController();
  const interrupted = patience(controller);
  const ended = withRetries(interrupted.context, 3, async () => {
    controller.abort();
    return Promise.reject(new Error('gone'));
  });
  await expect(ended).rejects.toThrow('gone');
  expect([...pauses, ...interrupted.pauses]).toEqual([]);
});
