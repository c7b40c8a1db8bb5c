import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probeStorage } from '../../src/storage/probe.ts';
import { ObjectNotFound, type Storage } from '../../src/storage/storage.ts';
import { describeModel } from './storage-model.ts';
import { describeNames } from './storage-names.ts';
import { describeLists, describeRanges } from './storage-reads.ts';
import { keysOf, missing, objectsOf } from './storage-tools.ts';

export interface StorageFixture extends AsyncDisposable {
  /** Empty. */
  readonly storage: Storage;
}

const MiB = 1 << 20;

/** The promises of the contract in src/storage/storage.ts, tried on one adapter. */
export function describeStorage(name: string, open: () => Promise<StorageFixture>): void {
  describe(`${name} as a storage`, () => {
    let fixture: StorageFixture;
    let storage: Storage;
    beforeAll(async () => {
      fixture = await open();
      storage = fixture.storage;
    });
    afterAll(async () => {
      await fixture[Symbol.asyncDispose]();
    });

    describeObjects(() => storage);
    describeConditions(() => storage);
    describeRanges(() => storage);
    describeLists(() => storage);
    describeNames(() => storage);
    describeCancelling(() => storage);
    describeModel(() => storage);

    test('passes the probe', async () => {
      const { conditionalPut, findings } = await probeStorage(storage);
      expect(findings.map(({ verb, result }) => `${verb} ${result}`)).toEqual([
        'put works',
        'get works',
        'get range works',
        'put if absent works',
        'list works',
        'delete works',
      ]);
      expect(conditionalPut).toBe(true);
      expect(await keysOf(storage, 'probe/')).toEqual([]);
    });
  });
}

function describeObjects(storage: () => Storage): void {
  test.for([0, 1, 16 * MiB + 1, 40 * MiB])('keeps %i bytes', async (size) => {
    const bytes = randomBytes(size);
    const key = `sizes/${randomUUID()}`;
    expect(await storage().put(key, bytes)).toBe('stored');
    const found = await storage().get(key);
    expect(found.equals(bytes)).toBe(true);
    expect((await objectsOf(storage(), key)).map((object) => object.size)).toEqual([size]);
    await storage().delete([key]);
  });

  test('keeps a view of larger memory, not the memory around it', async () => {
    const key = `views/${randomUUID()}`;
    await storage().put(key, new Uint8Array(randomBytes(64).buffer.slice(0)).fill(7).subarray(3, 9));
    expect(await storage().get(key)).toEqual(Buffer.alloc(6, 7));
  });

  test('puts the same again', async () => {
    const key = `again/${randomUUID()}`;
    expect(await storage().put(key, Buffer.from('same'))).toBe('stored');
    expect(await storage().put(key, Buffer.from('same'))).toBe('stored');
    expect((await storage().get(key)).toString()).toBe('same');
  });

  test('says that an object is not there', async () => {
    const folder = `missing/${randomUUID()}`;
    await storage().put(`${folder}/deep/object`, Buffer.from('x'));
    for (const key of ['nothing', 'deep', 'deep/nothing', 'deep/object/below', 'no/such/folder']) {
      await expect(storage().get(`${folder}/${key}`), key).rejects.toThrow(ObjectNotFound);
      const range = { start: 0, end: 1 };
      await expect(storage().get(`${folder}/${key}`, { range }), key).rejects.toThrow(ObjectNotFound);
    }
  });

  test('deletes twice, and what was never there', async () => {
    const key = `deleted/${randomUUID()}`;
    await storage().put(key, Buffer.from('x'));
    await storage().delete([key, `${key}-never`]);
    await storage().delete([key]);
    await storage().delete([key, `${key}/below`, 'deleted/never/ever']);
    await storage().delete([]);
    await expect(storage().get(key)).rejects.toThrow(ObjectNotFound);
    expect(await keysOf(storage(), 'deleted/')).toEqual([]);
    expect(await storage().put(key, Buffer.from('y'), { ifAbsent: true })).toBe('stored');
  });
}

function describeConditions(storage: () => Storage): void {
  test('stores if absent once, and leaves what is there', async () => {
    const key = `absent/${randomUUID()}`;
    expect(await storage().put(key, Buffer.from('first'), { ifAbsent: true })).toBe('stored');
    expect(await storage().put(key, Buffer.from('second'), { ifAbsent: true })).toBe('exists');
    expect((await storage().get(key)).toString()).toBe('first');
  });

  test('lets exactly one of many win', async () => {
    for (let round = 0; round < 5; round++) {
      const key = `race/${randomUUID()}`;
      const writers = Array.from({ length: 12 }, (_, writer) => Buffer.alloc(2000, writer));
      const outcomes = await Promise.all(writers.map((bytes) => putUntilSettled(storage(), key, bytes)));
      const winners = writers.filter((_, writer) => outcomes[writer] === 'stored');
      expect(winners).toHaveLength(1);
      expect(winners).toContainEqual(await storage().get(key));
    }
  });
}

/** A store may answer a race with "try again". */
async function putUntilSettled(storage: Storage, key: string, bytes: Buffer): Promise<'stored' | 'exists'> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await storage.put(key, bytes, { ifAbsent: true });
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

function describeCancelling(storage: () => Storage): void {
  test('does nothing once cancelled', async () => {
    const key = `cancelled/${randomUUID()}`;
    const reason = new Error('no longer wanted');
    const signal = AbortSignal.abort(reason);
    await storage().put(`${key}-there`, Buffer.alloc(1));
    await expect(storage().put(key, Buffer.alloc(1), { signal })).rejects.toBe(reason);
    await expect(storage().get(`${key}-there`, { signal })).rejects.toBe(reason);
    await expect(keysOf(storage(), key, { signal })).rejects.toBe(reason);
    await expect(storage().delete([`${key}-there`], { signal })).rejects.toBe(reason);
    expect(await keysOf(storage(), key)).toEqual([`${key}-there`]);
  });

  test('leaves the whole object or none when cancelled midway', async () => {
    const bytes = randomBytes(4 * MiB);
    for (const ms of [0, 1, 2, 5, 10, 20, 40]) {
      const key = `midway/${randomUUID()}`;
      const reason = new Error('no longer wanted');
      const controller = new AbortController();
      setTimeout(() => controller.abort(reason), ms);
      const outcome = await storage()
        .put(key, bytes, { signal: controller.signal })
        .catch((error: unknown) => error);
      expect(['stored', reason]).toContain(outcome);
      const found = await storage().get(key).catch(missing);
      expect(found === undefined || found.equals(bytes)).toBe(true);
      if (outcome === 'stored') expect(found).toBeDefined();
    }
  });
}
