import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvalidRequest } from '../../src/lib/failure.ts';
import { compareKeys } from '../../src/storage/key.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { inParallel, keysOf, objectsOf } from './storage-tools.ts';

const pageAndMore = 1100;

/** Parts of objects. */
export function describeRanges(storage: () => Storage): void {
  test('reads any range', async () => {
    const bytes = randomBytes(5000);
    const key = `ranges/${randomUUID()}`;
    await storage().put(key, bytes);
    const place = fc.integer({ min: 0, max: 5100 });
    await fc.assert(
      fc.asyncProperty(place, place, async (one, other) => {
        const range = { start: Math.min(one, other), end: Math.max(one, other) };
        expect((await storage().get(key, { range })).equals(bytes.subarray(range.start, range.end))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('reads into memory of the caller, or beside it, and answers with the bytes of the range alone', async () => {
    const bytes = randomBytes(5000);
    const key = `ranges/${randomUUID()}`;
    await storage().put(key, bytes);
    for (const range of [undefined, { start: 0, end: 5000 }, { start: 700, end: 1700 }, { start: 4900, end: 9000 }]) {
      for (const room of [0, 100, 1000, 5000, 20_000]) {
        const into = Buffer.alloc(room, 7);
        const came = await storage().get(key, { into, ...(range && { range }) });
        expect(came.equals(bytes.subarray(range?.start, range?.end)), `${room} bytes of room`).toBe(true);
      }
    }
  });

  test.for([
    { start: 0, end: 0 },
    { start: 0, end: 1 },
    { start: 4, end: 5 },
    { start: 5, end: 6 },
    { start: 0, end: Number.MAX_SAFE_INTEGER },
  ])('reads from $start to $end of 0 and of 5 bytes', async (range) => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('12345')]) {
      const key = `edges/${randomUUID()}`;
      await storage().put(key, bytes);
      expect(await storage().get(key, { range })).toEqual(Buffer.from(bytes.subarray(range.start, range.end)));
    }
  });

  test.for([
    { start: -1, end: 1 },
    { start: 2, end: 1 },
    { start: 0.5, end: 1 },
    { start: 0, end: Number.NaN },
  ])('refuses the range from $start to $end', async (range) => {
    await expect(storage().get('edges/any', { range })).rejects.toThrow(InvalidRequest);
  });
}

/** What is there, in which order. */
export function describeLists(storage: () => Storage): void {
  test('lists and deletes more than a page', async () => {
    const folder = `many/${randomUUID()}/`;
    const keys = Array.from({ length: pageAndMore }, (_, n) => `${folder}${n % 7}/${n}`);
    await inParallel(keys, (key) => storage().put(key, Buffer.from(key)));
    const objects = await objectsOf(storage(), folder);
    expect(objects.map(({ key }) => key)).toEqual(keys.toSorted(compareKeys));
    expect(objects.every(({ key, size }) => size === Buffer.byteLength(key))).toBe(true);
    await storage().delete(keys);
    expect(await keysOf(storage(), folder)).toEqual([]);
  });

  test('lists by the bytes of the whole key', async () => {
    const folder = `order/${randomUUID()}/`;
    const names = [
      'a-b',
      'a.b',
      'a/b',
      'a/c/d',
      'a0',
      'a b/c',
      'B',
      'b',
      'é',
      '\u{ff5e}',
      '\u{1f600}',
      '\u{1f600}/x',
      'zz',
    ];
    // The folder of one cannot be the key of another.
    const keys = names.filter((name) => name !== '\u{1f600}').map((name) => folder + name);
    await inParallel(keys, (key) => storage().put(key, Buffer.alloc(1)));
    expect(await keysOf(storage(), folder)).toEqual(
      keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    expect(await keysOf(storage(), `${folder}a`)).toEqual(
      ['a b/c', 'a-b', 'a.b', 'a/b', 'a/c/d', 'a0'].map((name) => folder + name),
    );
    expect(await keysOf(storage(), `${folder}a/c`)).toEqual([`${folder}a/c/d`]);
    expect(await keysOf(storage(), `${folder}a/c/d/`)).toEqual([]);
    expect(await keysOf(storage(), `${folder}nothing`)).toEqual([]);
    expect(await keysOf(storage(), `nothing/${folder}`)).toEqual([]);
  });

  test('goes on behind a key, there or not', async () => {
    const folder = `after/${randomUUID()}/`;
    const keys = ['a', 'b/1', 'b/2', 'b-1', 'c/x/y', 'd'].map((name) => folder + name).toSorted(compareKeys);
    await inParallel(keys, (key) => storage().put(key, Buffer.alloc(1)));
    for (const after of [...keys, `${folder}b/`, `${folder}b/1x`, `${folder}c/x`, folder, 'a', 'zzz']) {
      const expected = keys.filter((key) => compareKeys(key, after) > 0);
      expect(await keysOf(storage(), folder, { after }), after).toEqual(expected);
    }
  });

  test("stamps objects with one clock, the store's", async () => {
    const folder = `times/${randomUUID()}`;
    await storage().put(`${folder}/1`, Buffer.alloc(1));
    await storage().put(`${folder}/2`, Buffer.alloc(1));
    const [first, second] = (await objectsOf(storage(), `${folder}/`)).map(({ modified }) => modified.getTime());
    if (first === undefined || second === undefined) throw new Error('the list lacks an object');
    expect(second).toBeGreaterThanOrEqual(first);
    expect(second - first).toBeLessThan(60_000);
  });

  test('lists while objects come and go', async () => {
    const folder = `busy/${randomUUID()}/`;
    const stable = Array.from({ length: 40 }, (_, n) => `${folder}${n}/stays`);
    await inParallel(stable, (key) => storage().put(key, Buffer.alloc(1)));
    const churn = Array.from({ length: 40 }, async (_, n) => {
      const key = `${folder}${n}/goes/${n}`;
      await storage().put(key, Buffer.alloc(1));
      await storage().delete([key]);
    });
    const lists = Array.from({ length: 5 }, () => keysOf(storage(), folder));
    for (const keys of await Promise.all(lists)) {
      expect(keys.filter((key) => key.endsWith('stays'))).toEqual(stable.toSorted(compareKeys));
    }
    await Promise.all(churn);
    expect(await keysOf(storage(), folder)).toEqual(stable.toSorted(compareKeys));
  });
}
