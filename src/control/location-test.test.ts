import { describe, expect, it } from 'vitest';
import { locationSpecSchema } from '../api/inventory.ts';
import { PermanentFailure } from '../lib/failure.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { testLocation } from './location-test.ts';
import type { ProbedVerbs, Stores } from './places.ts';

const signal = new AbortController().signal;
const s3 = locationSpecSchema.parse({ place: { type: 's3', bucket: 'backups' }, isEncrypted: false });
const denied = new PermanentFailure('storage-access-denied', 'Cannot list as the store refuses it');
const verbs = ['put', 'get', 'get range', 'put if absent', 'list', 'delete'];

function storesThat(probed: Partial<ProbedVerbs>): Stores {
  const storage = new MemoryStorage();
  const opened = {
    description: 'memory',
    put: storage.put.bind(storage),
    get: storage.get.bind(storage),
    list: storage.list.bind(storage),
    delete: storage.delete.bind(storage),
    [Symbol.asyncDispose]: async () => undefined,
  };
  return {
    open: async () => opened,
    probe: async () => ({
      conditionalPut: true,
      findings: verbs.map((verb) => ({ verb, result: 'works' })),
      ...probed,
    }),
  };
}

async function tested(probed: Partial<ProbedVerbs>, spec: typeof s3 = s3, secrets = {}) {
  return testLocation({ stores: storesThat(probed) }, { spec, secrets }, { signal });
}

describe('the test of a location', () => {
  it('says of each verb that it works', async () => {
    const { isGo, findings } = await tested({});
    expect(isGo).toBe(true);
    expect(findings.map(({ level }) => level)).toEqual(verbs.map(() => 'ok'));
  });

  it('names the permission that is missing', async () => {
    const { isGo, findings } = await tested({
      findings: verbs.map((verb) =>
        verb === 'list' ? { verb, result: 'fails', failure: denied } : { verb, result: 'works' },
      ),
    });
    expect(isGo).toBe(false);
    expect(findings.filter(({ level }) => level === 'error')).toMatchObject([
      { code: 'storage-access-denied', nextStep: expect.stringContaining('s3:ListBucket') },
    ]);
  });

  it('warns of a store that overwrites what is there', async () => {
    const { isGo, findings } = await tested({ conditionalPut: false });
    expect(isGo).toBe(true);
    expect(findings.at(-1)).toMatchObject({ level: 'warning', code: 'store-overwrites' });
  });

  it('wants a passphrase where things are to be encrypted', async () => {
    const encrypted = { ...s3, isEncrypted: true };
    expect(await tested({}, encrypted)).toMatchObject({ isGo: false });
    expect(await tested({}, encrypted, { passphrase: 'a long passphrase' })).toMatchObject({ isGo: true });
  });

  it('is over when a person leaves', async () => {
    const leaving = new AbortController();
    const stores: Stores = {
      ...storesThat({}),
      probe: async (_storage, options) => {
        leaving.abort(new Error('gone'));
        options.signal.throwIfAborted();
        return { conditionalPut: true, findings: [] };
      },
    };
    const testing = testLocation({ stores }, { spec: s3, secrets: {} }, { signal: leaving.signal });
    await expect(testing).rejects.toThrow('gone');
  });
});
