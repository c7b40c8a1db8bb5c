import { describe, expect, test } from 'vitest';
import { locationCreateSchema } from '../../../src/api/inventory-routes.ts';
import { bodyOf, checkLocation, describePlace, draftOf, emptyLocation } from './location-draft.ts';

const bucket = {
  ...emptyLocation,
  name: 'main',
  bucket: 'backups',
  accessKeyId: 'key',
  secretAccessKey: 'secret',
  passphrase: 'correct horse',
  passphraseAgain: 'correct horse',
};
const directory = {
  ...emptyLocation,
  name: 'nas',
  type: 'directory',
  path: '/srv/backups',
  isEncrypted: false,
} as const;

describe('what is typed into the form of a storage location', () => {
  test.each([
    bucket,
    directory,
    { ...bucket, prefix: 'a/b', endpoint: 'http://127.0.0.1:7070', addressing: 'path' as const },
  ])('is what the manager understands: $name', (draft) => {
    expect(checkLocation(draft, [])).toEqual({});
    const body = bodyOf(draft);
    expect(locationCreateSchema.parse(body)).toEqual(body);
  });

  test('comes back from what is stored, but for the secrets', () => {
    const {
      name,
      secrets: _secrets,
      ...spec
    } = locationCreateSchema.parse(bodyOf({ ...bucket, prefix: 'mysql', region: 'eu' }));
    const stored = draftOf({
      kind: 'StorageLocation',
      name,
      uid: 'u',
      version: 1,
      createdAt: '2026-11-21T00:00:00Z',
      spec,
      status: { state: 'Working', findings: [], secrets: ['accessKeyId', 'secretAccessKey', 'passphrase'] },
    });
    expect(stored).toMatchObject({ bucket: 'backups', prefix: 'mysql', region: 'eu', accessKeyId: '', passphrase: '' });
    expect(checkLocation(stored, ['accessKeyId', 'secretAccessKey', 'passphrase'])).toEqual({});
    expect(bodyOf(stored).secrets).toEqual({});
  });

  test.each([
    [{ name: '' }, 'name'],
    [{ name: '-x' }, 'name'],
    [{ bucket: 'a' }, 'bucket'],
    [{ prefix: '/a' }, 'prefix'],
    [{ endpoint: 's3.example.net' }, 'endpoint'],
    [{ secretAccessKey: '' }, 'secretAccessKey'],
    [{ accessKeyId: '' }, 'accessKeyId'],
    [{ passphrase: 'short', passphraseAgain: 'short' }, 'passphrase'],
    [{ passphraseAgain: 'correct hors' }, 'passphraseAgain'],
  ])('%j is told at its field', (change, field) => {
    expect(Object.keys(checkLocation({ ...bucket, ...change }, []))).toEqual([field]);
  });

  test('a directory must be absolute', () => {
    expect(checkLocation({ ...directory, path: 'backups' }, [])).toHaveProperty('path');
  });

  test('no passphrase goes where nothing is encrypted, no key with a directory', () => {
    expect(bodyOf({ ...bucket, isEncrypted: false }).secrets).not.toHaveProperty('passphrase');
    expect(bodyOf({ ...bucket, ...directory }).secrets).toEqual({});
  });

  test('its place is told in one line', () => {
    expect(describePlace({ type: 's3', bucket: 'b', prefix: 'p', endpoint: 'https://s3.example.net:9000' })).toBe(
      'b/p at s3.example.net:9000',
    );
    expect(describePlace({ type: 'directory', path: '/srv/b' })).toBe('/srv/b');
  });
});
