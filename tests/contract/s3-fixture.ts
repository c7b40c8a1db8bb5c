import { expect } from 'vitest';
import type { Clock } from '../../src/lib/clock.ts';
import { Failure } from '../../src/lib/failure.ts';
import { retrying } from '../../src/storage/retrying.ts';
import { S3Storage, type S3Options } from '../../src/storage/s3.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { startFaultProxy, type Fault, type FaultProxy } from '../support/fault-proxy.ts';
import { startVersitygw, type VersitygwServer } from '../support/servers.ts';
import { keysOf } from './storage-tools.ts';

/** Pauses between tries take no time. */
const hasty: Clock = { now: () => 0, elapsed: () => 0, sleep: async () => {} };

/** A real server with a bucket, behind a proxy that makes faults. */
export interface S3Fixture extends AsyncDisposable {
  readonly server: VersitygwServer;
  readonly proxy: FaultProxy;
  /** For a store of the test's own. */
  readonly options: S3Options;
  /** Tries once. */
  readonly storage: S3Storage;
  /** Tries again, without pauses. */
  readonly persistent: Storage;
}

export async function startS3Fixture(): Promise<S3Fixture> {
  const server = await startVersitygw();
  await server.createBucket('faults');
  const proxy = await startFaultProxy(server.endpoint);
  const { region, accessKey: accessKeyId, secretKey: secretAccessKey } = server;
  const endpoint = proxy.endpoint;
  const options = { bucket: 'faults', endpoint, region, accessKeyId, secretAccessKey };
  const storage = new S3Storage(options);
  return {
    server,
    proxy,
    options,
    storage,
    persistent: retrying(storage, { clock: hasty }),
    [Symbol.asyncDispose]: async () => {
      await storage[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** One call of each kind, to be made on a key under which `stored` is stored. */
export interface Verb {
  readonly name: string;
  readonly method: string;
  readonly call: (store: Storage, key: string) => Promise<unknown>;
}

export const verbs: readonly Verb[] = [
  { name: 'put', method: 'PUT', call: (store, key) => store.put(`${key}-new`, Buffer.from('new')) },
  {
    name: 'put if absent',
    method: 'PUT',
    call: (store, key) => store.put(`${key}-new`, Buffer.alloc(9), { ifAbsent: true }),
  },
  { name: 'get', method: 'GET', call: async (store, key) => expect((await store.get(key)).toString()).toBe('stored') },
  { name: 'list', method: 'GET', call: async (store, key) => expect(await keysOf(store, key)).toEqual([key]) },
  { name: 'delete one', method: 'DELETE', call: (store, key) => store.delete([key]) },
  { name: 'delete several', method: 'POST', call: (store, key) => store.delete([key, `${key}-other`]) },
];

/** An answer as S3 gives it; without a code, as a proxy before it does. */
export function answer(status: number, code: string, headers: Record<string, string> = {}): Fault {
  if (code === '')
    return { kind: 'answer', status, headers: { ...headers, 'content-type': 'text/html' }, body: '<html>no</html>' };
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>said by the test</Message></Error>`;
  return { kind: 'answer', status, headers: { ...headers, 'content-type': 'application/xml' }, body };
}

/** The failure that a call must end with. */
export async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const outcome = await call.catch((error: unknown) => error);
  if (outcome instanceof Failure) return outcome;
  throw new Error('this should have failed with a Failure', { cause: outcome });
}
