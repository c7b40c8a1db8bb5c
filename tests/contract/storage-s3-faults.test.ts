import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isPermanent } from '../../src/lib/failure.ts';
import { S3Storage } from '../../src/storage/s3.ts';
import { StoreBusy, type Storage } from '../../src/storage/storage.ts';
import { atBest } from '../support/at-best.ts';
import type { Fault } from '../support/fault-proxy.ts';
import { answer, failureOf, startS3Fixture, verbs, type S3Fixture } from './s3-fixture.ts';
import { inParallel, keysOf, missing } from './storage-tools.ts';

const MiB = 1 << 20;

let s3: S3Fixture;
beforeAll(async () => {
  s3 = await startS3Fixture();
});
afterAll(() => s3[Symbol.asyncDispose]());
beforeEach(() => s3.proxy.setRules());

describe('a connection that breaks', () => {
  test('in a put leaves the whole object or none', async () => {
    const bytes = randomBytes(3 * MiB);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (afterBytes) => {
        const key = `cut/${randomUUID()}`;
        s3.proxy.setRules({ method: 'PUT', nth: 1, fault: { on: 'request', kind: 'cut', afterBytes } });
        expect(isPermanent(await failureOf(s3.storage.put(key, bytes)))).toBe(false);
        expect(await s3.storage.get(key).catch(missing)).toBe(undefined);
        s3.proxy.setRules({ method: 'PUT', nth: 1, fault: { on: 'request', kind: 'cut', afterBytes } });
        expect(await s3.persistent.put(key, bytes)).toBe('stored');
        expect((await s3.storage.get(key)).equals(bytes)).toBe(true);
      }),
      { numRuns: 12, examples: [[0], [1], [bytes.length - 1]] },
    );
  });

  test('in a get gives all bytes or an error', async () => {
    const bytes = randomBytes(3 * MiB);
    const key = `cut/${randomUUID()}`;
    await s3.storage.put(key, bytes);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (afterBytes) => {
        s3.proxy.setRules({ method: 'GET', nth: 1, fault: { on: 'response', kind: 'cut', afterBytes } });
        expect(isPermanent(await failureOf(s3.storage.get(key)))).toBe(false);
        s3.proxy.setRules({ method: 'GET', nth: 1, fault: { on: 'response', kind: 'cut', afterBytes } });
        expect((await s3.persistent.get(key)).equals(bytes)).toBe(true);
      }),
      { numRuns: 12, examples: [[0], [1], [bytes.length - 1]] },
    );
  });

  test('after a conditional put was done says "exists" to the second try', async () => {
    const key = `lost/${randomUUID()}`;
    s3.proxy.setRules({ method: 'PUT', nth: 1, fault: { kind: 'lose-answer' } });
    expect(await s3.persistent.put(key, Buffer.from('mine'), { ifAbsent: true })).toBe('exists');
    expect((await s3.storage.get(key)).toString()).toBe('mine');
  });

  test('in a long list loses and doubles nothing', async () => {
    const folder = `pages/${randomUUID()}/`;
    const keys = Array.from({ length: 1100 }, (_, n) => `${folder}${10_000 + n}`);
    await inParallel(keys, (key) => s3.storage.put(key, Buffer.alloc(1)));
    for (const nth of [1, 2]) {
      for (const fault of [answer(500, 'InternalError'), { on: 'response', kind: 'cut', afterBytes: 5000 }] as const) {
        s3.proxy.setRules({ method: 'GET', nth, fault });
        expect(await keysOf(s3.persistent, folder)).toEqual(keys);
        expect(s3.proxy.faults()).toBe(1);
      }
    }
  });
});

describe('a store that is slow', () => {
  const bytes = randomBytes(2 * MiB);
  let key: string;
  beforeEach(async () => {
    key = `slow/${randomUUID()}`;
    await s3.storage.put(key, bytes);
  });

  test('and stands still is given up', async () => {
    const stalls: readonly Fault[] = [
      { on: 'request', kind: 'stall', afterBytes: 0 },
      { on: 'request', kind: 'stall', afterBytes: MiB },
      { kind: 'delay', ms: 8000 },
    ];
    await using impatient = new S3Storage({ ...s3.options, noProgressMs: 400 });
    for (const fault of stalls) {
      s3.proxy.setRules({ method: 'PUT', fault });
      await expectGivenUp(() => impatient.put(`${key}-new`, bytes));
      expect(await s3.storage.get(`${key}-new`).catch(missing)).toBe(undefined);
    }
    for (const afterBytes of [0, MiB]) {
      s3.proxy.setRules({ method: 'GET', fault: { on: 'response', kind: 'stall', afterBytes } });
      await expectGivenUp(() => impatient.get(key));
    }
  });

  test('but moves is waited for', async () => {
    // Longer than the system's own buffers take to drain.
    await using patient = new S3Storage({ ...s3.options, noProgressMs: 3000 });
    const large = randomBytes(64 * MiB);
    s3.proxy.setRules({ path: 'slow/', fault: { on: 'request', kind: 'throttle', bytesPerSecond: 16 * MiB } });
    const begin = performance.now();
    expect(await patient.put(`${key}-new`, large)).toBe('stored');
    expect(performance.now() - begin).toBeGreaterThan(3000);
    s3.proxy.setRules({ path: 'slow/', fault: { on: 'response', kind: 'throttle', bytesPerSecond: 16 * MiB } });
    expect((await patient.get(`${key}-new`)).equals(large)).toBe(true);
  });

  test('is not waited for longer than one request may take', async () => {
    await using impatient = new S3Storage({ ...s3.options, requestTimeoutMs: 300 });
    s3.proxy.setRules({ path: 'slow/', fault: { on: 'response', kind: 'throttle', bytesPerSecond: 1.5 * MiB } });
    await expectGivenUp(() => impatient.get(key));
  });

  test('lets go of a cancelled put at once, and of its object', async () => {
    await using patient = new S3Storage({ ...s3.options, noProgressMs: 20_000 });
    for (const afterBytes of [0, MiB]) {
      s3.proxy.setRules({ method: 'PUT', fault: { on: 'request', kind: 'stall', afterBytes } });
      const controller = new AbortController();
      const reason = new Error('no longer wanted');
      setTimeout(() => controller.abort(reason), 100);
      const begin = performance.now();
      await expect(patient.put(`${key}-cancelled`, bytes, { signal: controller.signal })).rejects.toBe(reason);
      expect(performance.now() - begin).toBeLessThan(5000);
      expect(await s3.storage.get(`${key}-cancelled`).catch(missing)).toBe(undefined);
    }
  });

  test('lets go of a cancelled get, list and delete', async () => {
    const reason = new Error('no longer wanted');
    for (const { call, method } of verbs) {
      s3.proxy.setRules({ method, fault: { kind: 'delay', ms: 300 } });
      const controller = new AbortController();
      setTimeout(() => controller.abort(reason), 50);
      await expect(call(withSignal(controller.signal), key)).rejects.toBe(reason);
    }
  });

  test('says how long to leave it alone', async () => {
    s3.proxy.setRules({ method: 'GET', fault: answer(503, 'SlowDown', { 'retry-after': '7' }) });
    const failure = await failureOf(s3.storage.get(key));
    expect(failure).toBeInstanceOf(StoreBusy);
    expect(failure).toMatchObject({ code: 'storage-busy', retryAfterMs: 7000 });
  });
});

function withSignal(signal: AbortSignal): Storage {
  return {
    description: s3.persistent.description,
    put: (key, bytes, given) => s3.persistent.put(key, bytes, { ...given, signal }),
    get: (key, given) => s3.persistent.get(key, { ...given, signal }),
    list: (prefix, given) => s3.persistent.list(prefix, { ...given, signal }),
    delete: (keys, given) => s3.persistent.delete(keys, { ...given, signal }),
  };
}

async function expectGivenUp(call: () => Promise<unknown>): Promise<void> {
  const lastedMs = await atBest(2000, async () => {
    const begin = performance.now();
    const failure = await failureOf(call());
    expect(failure).toMatchObject({ name: 'Failure', code: 'storage-failed' });
    expect(failure.message).toContain('does not answer in time');
    return performance.now() - begin;
  });
  expect(lastedMs).toBeLessThan(2000);
}
