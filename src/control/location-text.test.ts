import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { locationSpecSchema } from '../api/inventory.ts';
import { managedLocationSchema } from '../api/jobs.ts';
import { parseLocation } from '../storage/location.ts';
import { managedLocation, textOfPlace } from './location-text.ts';

const s3 = locationSpecSchema.parse({
  place: {
    type: 's3',
    bucket: 'backups',
    prefix: 'team a/50%',
    region: 'eu-central-1',
    endpoint: 'http://127.0.0.1:9000',
    addressing: 'path',
  },
  isEncrypted: true,
});
const secrets = { accessKeyId: 'id', secretAccessKey: 'key', passphrase: 'a passphrase' };

describe('a location as one line', () => {
  it('is read back as what it was', () => {
    expect(parseLocation(textOfPlace(s3.place))).toEqual({
      kind: 's3',
      bucket: 'backups',
      prefix: 'team a/50%',
      region: 'eu-central-1',
      endpoint: 'http://127.0.0.1:9000',
      addressing: 'path',
    });
    expect(parseLocation(textOfPlace({ type: 'directory', path: '/srv/my backups' }))).toEqual({
      kind: 'directory',
      path: '/srv/my backups',
    });
  });

  it('is read back as what it was, for any prefix', () => {
    const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const place = { type: 's3' as const, bucket: 'backups', prefix: parts.join('/') };
        const spec = locationSpecSchema.safeParse({ place, isEncrypted: false });
        fc.pre(spec.success);
        expect(parseLocation(textOfPlace(place))).toMatchObject({ prefix: place.prefix });
      }),
    );
  });
});

describe('a location for an agent', () => {
  it('has the secrets that it needs, and is what agents take', () => {
    const made = managedLocation({ name: 'main', spec: s3 }, { ...secrets, other: 'x' });
    expect(managedLocationSchema.parse(made)).toMatchObject({
      name: 'main',
      credentials: { accessKeyId: 'id', secretAccessKey: 'key' },
      encryption: { type: 'passphrase', passphrase: 'a passphrase' },
    });
    const inClear = managedLocation({ name: 'main', spec: { ...s3, isEncrypted: false } }, {});
    expect(inClear).toMatchObject({ encryption: { type: 'none' } });
    expect(inClear).not.toHaveProperty('credentials');
  });

  it('is none without the passphrase', () => {
    expect(() => managedLocation({ name: 'main', spec: s3 }, {})).toThrow('its passphrase is not known');
  });
});
