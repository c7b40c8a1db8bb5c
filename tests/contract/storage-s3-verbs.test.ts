import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isPermanent } from '../../src/lib/failure.ts';
import { ObjectNotFound } from '../../src/storage/storage.ts';
import type { Fault } from '../support/fault-proxy.ts';
import { answer, failureOf, startS3Fixture, verbs, type S3Fixture } from './s3-fixture.ts';

let s3: S3Fixture;
beforeAll(async () => {
  s3 = await startS3Fixture();
});
afterAll(() => s3[Symbol.asyncDispose]());
beforeEach(() => s3.proxy.setRules());

describe.for([...verbs])('$name', ({ method, call }) => {
  let key: string;
  beforeEach(async () => {
    key = `verbs/${randomUUID()}`;
    await s3.storage.put(key, Buffer.from('stored'));
  });

  test.for<[status: number, code: string]>([
    [429, 'TooManyRequests'],
    [500, 'InternalError'],
    [502, ''],
    [503, 'SlowDown'],
    [503, ''],
    [504, ''],
    [409, 'OperationAborted'],
    [408, 'RequestTimeout'],
    [400, 'RequestTimeout'],
  ])('is worth trying again after %i %s', async ([status, code]) => {
    s3.proxy.setRules({ method, fault: answer(status, code) });
    const failure = await failureOf(call(s3.storage, key));
    expect(isPermanent(failure) || failure instanceof ObjectNotFound, inspect(failure)).toBe(false);
    s3.proxy.setRules({ method, nth: 1, fault: answer(status, code) });
    await call(s3.persistent, key);
    expect(s3.proxy.faults()).toBe(1);
  });

  test.for<[status: number, answered: string, code: string]>([
    [403, 'AccessDenied', 'storage-access-denied'],
    [403, '', 'storage-access-denied'],
    [403, 'InvalidAccessKeyId', 'storage-credentials-wrong'],
    [403, 'SignatureDoesNotMatch', 'storage-credentials-wrong'],
    [400, 'ExpiredToken', 'storage-credentials-wrong'],
    [401, '', 'storage-credentials-wrong'],
    [404, 'NoSuchBucket', 'storage-missing'],
    [301, 'PermanentRedirect', 'storage-region-wrong'],
    [400, 'AuthorizationHeaderMalformed', 'storage-region-wrong'],
    [403, 'RequestTimeTooSkewed', 'storage-clock-wrong'],
  ])('is not tried again after %i %s: %s', async ([status, answered, code]) => {
    s3.proxy.setRules({ method, fault: answer(status, answered) });
    const failure = await failureOf(call(s3.persistent, key));
    expect(failure).toMatchObject({ name: 'PermanentFailure', code, nextStep: expect.stringMatching(/^[A-Z].*\.$/) });
    expect(s3.proxy.faults()).toBe(1);
  });

  test.for<Fault>([
    { on: 'request', kind: 'cut', afterBytes: 0 },
    { on: 'response', kind: 'cut', afterBytes: 0 },
    { kind: 'lose-answer' },
  ])('survives %o', async (fault) => {
    s3.proxy.setRules({ method, fault });
    expect(isPermanent(await failureOf(call(s3.storage, key)))).toBe(false);
    s3.proxy.setRules();
    await s3.storage.put(key, Buffer.from('stored'));
    s3.proxy.setRules({ method, nth: 1, fault });
    await call(s3.persistent, key);
    expect(s3.proxy.faults()).toBe(1);
  });
});
