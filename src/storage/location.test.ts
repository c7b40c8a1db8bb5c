import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InvalidRequest } from '../lib/failure.ts';
import { formatLocation, parseLocation, type StorageLocation } from './location.ts';

test.for<[text: string, location: StorageLocation]>([
  ['/srv/backups', { kind: 'directory', path: '/srv/backups' }],
  ['/srv/../backups/', { kind: 'directory', path: '/backups' }],
  ['dir:backups', { kind: 'directory', path: resolve('backups') }],
  ['dir:/srv/b?x#y', { kind: 'directory', path: '/srv/b?x#y' }],
  ['file:///srv/my%20backups', { kind: 'directory', path: '/srv/my backups' }],
  ['s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '' }],
  ['s3://bucket/', { kind: 's3', bucket: 'bucket', prefix: '' }],
  ['s3://my.bucket_1/a/b%20c/', { kind: 's3', bucket: 'my.bucket_1', prefix: 'a/b c' }],
  [
    's3://bucket/folder?region=eu-central-1&endpoint=https://store:9000/&addressing=virtual&checksum=none',
    {
      kind: 's3',
      bucket: 'bucket',
      prefix: 'folder',
      region: 'eu-central-1',
      endpoint: 'https://store:9000',
      addressing: 'virtual',
      checksum: false,
    },
  ],
])('reads %s', ([text, location]) => {
  expect(parseLocation(text)).toEqual(location);
  expect(parseLocation(formatLocation(location))).toEqual(location);
});

test.for([
  '',
  'backups',
  './backups',
  'dir:',
  'file://other-host/srv',
  'https://bucket.s3.amazonaws.com',
  's3:bucket',
  's3://',
  's3://b',
  's3:///folder',
  's3://bucket/a//b',
  's3://bucket/../b',
  's3://bucket/%zz',
  's3://bucket?endpoint=store:9000',
  's3://bucket?endpoint=ftp://store',
  's3://bucket?addressing=dns',
  's3://bucket?colour=red',
  '/with\0nul',
])('refuses %j', (text) => {
  expect(() => parseLocation(text)).toThrow(InvalidRequest);
});

describe('credentials in a location', () => {
  test.for([
    's3://AKIAHIDDEN:hidden@bucket/folder',
    's3://bucket/folder?accessKeyId=hidden',
    's3://bucket/folder?secret_access_key=hidden',
    's3://bucket/folder?X-Amz-Signature=hidden',
    's3://bucket/folder?sessionToken=hidden',
    's3://bucket?endpoint=https://hidden:hidden@store',
  ])('are refused and not repeated: %s', (text) => {
    const failure = failureOf(() => parseLocation(text));
    expect(failure.message).toContain('it holds credentials');
    expect(`${failure.message} ${failure.nextStep}`).not.toMatch(/hidden/i);
  });
});

function failureOf(work: () => unknown): InvalidRequest {
  try {
    work();
  } catch (error) {
    if (error instanceof InvalidRequest) return error;
  }
  throw new Error('this should have been refused');
}
