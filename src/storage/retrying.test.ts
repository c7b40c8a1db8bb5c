import { describe, expect, test } from 'vitest';
import type { Clock } from '../lib/clock.ts';
import { Conflict, Failure, PermanentFailure } from '../lib/failure.ts';
import { MemoryStorage, type StorageCall } from './memory.ts';
import { retrying } from './retrying.ts';
import { ObjectNotFound, StoreBusy } from './storage.ts';

class TestClock implements Clock {
  readonly pauses: number[] = [];
  #time = 0;
  now(): number {
    return this.#time;
  }
  elapsed(): number {
    return this.#time;
  }
  async sleep(ms: number): Promise<void> {
    this.pauses.push(ms);
    this.#time += ms;
  }
}

/** A store that throws these in turn, and then works. */
function failing(...errors: readonly unknown[]) {
  const calls: StorageCall[] = [];
  const left = [...errors];
  const before = (call: StorageCall): void => {
    calls.push(call);
    if (left.length > 0) throw left.shift();
  };
  return { storage: new MemoryStorage({ before }), calls };
}

const down = (n: number) =>
  new Failure('storage-failed', `Cannot reach it: ${n}`, { nextStep: 'Wait.', evidence: [`${n}`] });
const clock = () => new TestClock();

test('tries again after what may pass, with longer and longer pauses', async () => {
  const { storage, calls } = failing(down(1), new Error('anything'), 'even this');
  const time = clock();
  expect(await retrying(storage, { clock: time, random: () => 0.5 }).put('a', Buffer.from('x'))).toBe('stored');
  expect(calls).toHaveLength(4);
  expect(time.pauses).toEqual([100, 200, 400]);
});

test('pauses are random, bounded, and as long as the store asks', async () => {
  const many = Array.from({ length: 11 }, (_, n) => down(n));
  const time = clock();
  const policy = { clock: time, random: () => 0.999, attempts: 12, maxTotalMs: 1e9 };
  await retrying(failing(...many).storage, policy).put('a', Buffer.from('x'));
  expect(Math.max(...time.pauses)).toBeLessThan(20_000);
  expect(Math.max(...time.pauses)).toBeGreaterThan(19_000);
  const busy = new StoreBusy('Cannot', { retryAfterMs: 5000 });
  const other = clock();
  await retrying(failing(busy).storage, { ...policy, clock: other }).put('a', Buffer.from('x'));
  expect(other.pauses).toEqual([5000]);
});

test('gives up after the tries it has, and says how many; the first error is the cause', async () => {
  const errors = [1, 2, 3, 4].map(down);
  const { storage, calls } = failing(...errors);
  await expect(retrying(storage, { clock: clock(), attempts: 3 }).get('a')).rejects.toMatchObject({
    code: 'storage-failed',
    message: expect.stringMatching(/^Cannot reach it: 3 \(3 tries in \d+ s\)$/),
    cause: errors[0],
    nextStep: 'Wait.',
    evidence: ['3'],
  });
  expect(calls).toHaveLength(3);
});

test('gives up when the time is over', async () => {
  const { storage, calls } = failing(...Array.from({ length: 50 }, (_, n) => down(n)));
  const time = clock();
  const policy = { clock: time, random: () => 0.9, attempts: 100, maxTotalMs: 3000 };
  await expect(retrying(storage, policy).get('a')).rejects.toThrow(Failure);
  expect(time.now()).toBeLessThanOrEqual(3000);
  expect(calls.length).toBeLessThan(8);
});

test.for([
  new ObjectNotFound('a', { where: 'here' }),
  new PermanentFailure('storage-access-denied', 'Cannot'),
  new Conflict('conflict', 'Cannot'),
])('does not try again after %s', async (error) => {
  const { storage, calls } = failing(error);
  await expect(retrying(storage, { clock: clock() }).get('a')).rejects.toBe(error);
  expect(calls).toHaveLength(1);
});

describe('a cancelled call', () => {
  const reason = new Error('no longer wanted');

  test('is not begun', async () => {
    const { storage, calls } = failing();
    const signal = AbortSignal.abort(reason);
    await expect(retrying(storage).delete(['a'], { signal })).rejects.toBe(reason);
    expect(calls).toHaveLength(0);
  });

  test('does not wait for its next try', async () => {
    const { storage, calls } = failing(down(1), down(2));
    const controller = new AbortController();
    const pending = retrying(storage, { random: () => 0.999 }).put('a', Buffer.alloc(1), { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await expect(pending).rejects.toBe(reason);
    expect(calls).toHaveLength(1);
  });
});

test('a put whose answer was lost finds what it stored', async () => {
  let isLost = false;
  const after = () => {
    if (isLost) return;
    isLost = true;
    throw down(1);
  };
  const storage = retrying(new MemoryStorage({ after }), { clock: clock() });
  expect(await storage.put('a', Buffer.from('mine'), { ifAbsent: true })).toBe('exists');
  expect((await storage.get('a')).toString()).toBe('mine');
});

describe('a list', () => {
  test('goes on where it broke; only tries without a step forward count', async () => {
    const memory = new MemoryStorage();
    const keys = Array.from({ length: 20 }, (_, n) => `k${100 + n}`);
    for (const key of keys) await memory.put(key, Buffer.alloc(1));
    const starts: (string | undefined)[] = [];
    // Shows two objects at a time, then breaks; does not heed `after` half of the time.
    const breaking = Object.assign(Object.create(memory), {
      async *list(prefix: string, options: { after?: string | undefined } = {}) {
        starts.push(options.after);
        let count = 0;
        for await (const object of memory.list(prefix, starts.length % 4 < 2 ? options : {})) {
          yield object;
          if (options.after !== undefined && object.key <= options.after) continue;
          if (++count === 2) throw down(starts.length);
        }
      },
    });
    const listed = await Array.fromAsync(retrying(breaking, { clock: clock(), attempts: 2 }).list('k'));
    expect(listed.map(({ key }) => key)).toEqual(keys);
    expect(starts.slice(0, 3)).toEqual([undefined, 'k101', 'k103']);
  });

  test('is given up when it does not move', async () => {
    const { storage, calls } = failing(...Array.from({ length: 9 }, (_, n) => down(n)));
    await expect(Array.fromAsync(retrying(storage, { clock: clock(), attempts: 4 }).list(''))).rejects.toThrow(
      '4 tries',
    );
    expect(calls).toHaveLength(4);
  });
});
