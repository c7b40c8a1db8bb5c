import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isPermanent } from '../../src/lib/failure.ts';
import { probeStorage } from '../../src/storage/probe.ts';
import { S3Storage } from '../../src/storage/s3.ts';
import type { Fault } from '../support/fault-proxy.ts';
import { answer, failureOf, startS3Fixture, verbs, type S3Fixture } from './s3-fixture.ts';
import { inParallel, keysOf } from './storage-tools.ts';

let s3: S3Fixture;
beforeAll(async () => {
  s3 = await startS3Fixture();
});
afterAll(() => s3[Symbol.asyncDispose]());
beforeEach(() => s3.proxy.setRules());

describe('a store that does less than S3', () => {
  let key: string;
  beforeEach(() => {
    key = `less/${randomUUID()}`;
  });

  test('may refuse "if absent": it is ignored from then on, and the probe says so', async () => {
    await using simple = new S3Storage(s3.options);
    s3.proxy.setRules({ method: 'PUT', nth: 1, fault: answer(501, 'NotImplemented') });
    expect(await simple.put(key, Buffer.from('1'), { ifAbsent: true })).toBe('stored');
    expect(s3.proxy.faults()).toBe(1);
    expect((await probeStorage(simple)).conditionalPut).toBe(false);
    expect((await probeStorage(s3.storage)).conditionalPut).toBe(true);
  });

  test('may not delete several at once', async () => {
    await using simple = new S3Storage(s3.options);
    const keys = Array.from({ length: 20 }, (_, n) => `${key}/${n}`);
    await inParallel(keys, (each) => simple.put(each, Buffer.alloc(1)));
    s3.proxy.setRules({ method: 'POST', fault: answer(501, 'NotImplemented') });
    await simple.delete(keys);
    expect(await keysOf(simple, key)).toEqual([]);
    await simple.delete(keys);
    expect(s3.proxy.faults()).toBe(1);
  });

  test('may answer 409 to a conditional put that races another', async () => {
    s3.proxy.setRules({ method: 'PUT', nth: 1, fault: answer(409, 'ConditionalRequestConflict') });
    expect(await s3.persistent.put(key, Buffer.alloc(1), { ifAbsent: true })).toBe('stored');
  });

  test('may delete some and refuse others, in an answer of 200', async () => {
    const part = (code: string) =>
      `<DeleteResult><Error><Key>${key}</Key><Code>${code}</Code><Message>no</Message></Error></DeleteResult>`;
    const refuse = (code: string): Fault => ({ kind: 'answer', status: 200, body: part(code) });
    s3.proxy.setRules({ method: 'POST', fault: refuse('AccessDenied') });
    expect(await failureOf(s3.storage.delete([key, 'b']))).toMatchObject({
      name: 'PermanentFailure',
      code: 'storage-access-denied',
    });
    s3.proxy.setRules({ method: 'POST', fault: refuse('InternalError') });
    expect(isPermanent(await failureOf(s3.storage.delete([key, 'b'])))).toBe(false);
    s3.proxy.setRules({ method: 'POST', fault: refuse('NoSuchKey') });
    await s3.storage.delete([key, 'b']);
  });

  test.for<[what: string, fault: Fault, range: { start: number; end: number }]>([
    ['another range', ranged('bytes 5-9/100', 'abcde'), { start: 0, end: 5 }],
    ['less than the range', ranged('bytes 0-2/100', 'abc'), { start: 0, end: 5 }],
    ['fewer bytes than it says', ranged('bytes 0-4/100', 'abc'), { start: 0, end: 5 }],
    ['nonsense for a range', ranged('bytes ?', 'abcde'), { start: 0, end: 5 }],
  ])('may answer %s: an error', async ([, fault, range]) => {
    s3.proxy.setRules({ method: 'GET', fault });
    expect(await failureOf(s3.storage.get(key, { range }))).toMatchObject({
      name: 'Failure',
      code: 'storage-answer-wrong',
    });
  });

  test('may answer the whole for a part', async () => {
    s3.proxy.setRules({
      method: 'GET',
      fault: { kind: 'answer', status: 200, body: 'abcdefgh', headers: { 'content-length': '8' } },
    });
    expect((await s3.storage.get(key, { range: { start: 2, end: 4 } })).toString()).toBe('cd');
  });

  test('may be no store at all: a page of some proxy is no missing object, empty list or stored object', async () => {
    for (const status of [404, 200]) {
      s3.proxy.setRules({ fault: answer(status, '') });
      expect(await failureOf(s3.storage.put(key, Buffer.alloc(1)))).toMatchObject({ name: 'Failure' });
      expect(await failureOf(keysOf(s3.storage, key))).toMatchObject({ name: 'Failure' });
      if (status === 404) expect(await failureOf(s3.storage.get(key))).toMatchObject({ name: 'Failure' });
    }
  });
});

function ranged(contentRange: string, body: string): Fault {
  return {
    kind: 'answer',
    status: 206,
    body,
    headers: { 'content-range': contentRange, 'content-length': `${body.length}` },
  };
}

describe('a store that cannot be used', () => {
  test.for<[what: string, wrong: object, code: string]>([
    ['the secret key', { secretAccessKey: 'wrong-secret' }, 'storage-credentials-wrong'],
    ['the access key', { accessKeyId: 'wrong-access' }, 'storage-credentials-wrong'],
    ['the bucket', { bucket: 'missing-bucket' }, 'storage-missing'],
  ])('says that %s is wrong', async ([, wrong, code]) => {
    await using storage = new S3Storage({ ...s3.options, ...wrong });
    for (const { name, call } of verbs) {
      const failure = await failureOf(call(storage, 'any'));
      expect(failure, name).toMatchObject({ name: 'PermanentFailure', code });
    }
    expect((await probeStorage(storage)).findings.map(({ result }) => result)).toEqual([
      'fails',
      'untested',
      'untested',
      'fails',
      'fails',
      'fails',
    ]);
  });

  test.for<[what: string, endpoint: string]>([
    ['nothing listens', 'http://127.0.0.1:1'],
    ['the name is unknown', 'http://holdfast.invalid:9000'],
  ])('may come back when %s', async ([, endpoint]) => {
    await using storage = new S3Storage({ ...s3.options, endpoint });
    expect(await failureOf(storage.get('any'))).toMatchObject({ name: 'Failure', code: 'storage-failed' });
  });

  test('may come back when it speaks no TLS', async () => {
    await using storage = new S3Storage({ ...s3.options, endpoint: s3.server.endpoint.replace('http:', 'https:') });
    expect(await failureOf(storage.get('any'))).toMatchObject({ name: 'Failure', code: 'storage-failed' });
  });

  test('never shows a secret', async () => {
    const secretAccessKey = 'a-very-secret-key';
    const sessionToken = 'a-very-secret-token';
    await using storage = new S3Storage({ ...s3.options, secretAccessKey, sessionToken, noProgressMs: 400 });
    const body = `<Error><Code>ExpiredToken</Code><Message>expired</Message><Token-0>${sessionToken}</Token-0></Error>`;
    const faults: readonly (Fault | undefined)[] = [
      undefined,
      { kind: 'answer', status: 400, body, headers: { 'content-type': 'application/xml' } },
      { kind: 'lose-answer' },
      { on: 'request', kind: 'stall', afterBytes: 0 },
      answer(500, ''),
    ];
    for (const fault of faults) {
      s3.proxy.setRules(...(fault === undefined ? [] : [{ fault }]));
      const failure = await failureOf(storage.put('any', Buffer.from('x')));
      expect(inspect(failure, { depth: 20, showHidden: true })).not.toContain('a-very-secret');
    }
  });
});

describe('the probe', () => {
  test.for([
    ['PUT', ['put', 'put if absent']],
    ['GET', ['get', 'get range', 'list', 'delete']],
    ['POST', ['delete']],
  ] as const)('names the verbs that a store refuses with %s', async ([method, expected]) => {
    s3.proxy.setRules({ method, fault: answer(403, 'AccessDenied') });
    const { findings } = await probeStorage(s3.storage);
    const failed = findings.filter(({ result }) => result === 'fails');
    expect(failed.map(({ verb }) => verb)).toEqual(expected);
    expect(failed.map(({ failure }) => failure?.code)).toEqual(expected.map(() => 'storage-access-denied'));
  });

  test('does not go on when cancelled', async () => {
    const reason = new Error('no longer wanted');
    await expect(probeStorage(s3.storage, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
