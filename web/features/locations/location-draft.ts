import type * as z from 'zod';
import type { locationCreateSchema } from '../../../src/api/inventory-routes.ts';
import type { LocationSecrets } from '../../../src/api/inventory.ts';
import type { Resource, SpecOf } from '../../../src/api/resources.ts';

/** What stands in the form, as typed. */
export interface LocationDraft {
  readonly name: string;
  readonly description: string;
  readonly type: 's3' | 'directory';
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string;
  readonly endpoint: string;
  readonly addressing: 'virtual' | 'path';
  readonly path: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly isEncrypted: boolean;
  readonly passphrase: string;
  readonly passphraseAgain: string;
}

type Place = SpecOf<'StorageLocation'>['place'];
export type LocationBody = z.input<typeof locationCreateSchema>;

export const emptyLocation: LocationDraft = {
  name: '',
  description: '',
  type: 's3',
  bucket: '',
  prefix: '',
  region: '',
  endpoint: '',
  addressing: 'virtual',
  path: '',
  accessKeyId: '',
  secretAccessKey: '',
  sessionToken: '',
  isEncrypted: true,
  passphrase: '',
  passphraseAgain: '',
};

/** Secrets never come out of the manager, so their fields are empty. */
export function draftOf({ name, spec }: Resource<'StorageLocation'>): LocationDraft {
  const { place, description, isEncrypted } = spec;
  const known = { ...emptyLocation, name, description, isEncrypted, type: place.type };
  if (place.type === 'directory') return { ...known, path: place.path };
  return {
    ...known,
    bucket: place.bucket,
    prefix: place.prefix ?? '',
    region: place.region ?? '',
    endpoint: place.endpoint ?? '',
    addressing: place.addressing ?? 'virtual',
  };
}

export function bodyOf(draft: LocationDraft): LocationBody {
  return {
    name: draft.name.trim(),
    description: draft.description.trim(),
    place: placeOf(draft),
    isEncrypted: draft.isEncrypted,
    secrets: secretsOf(draft),
  };
}

/** Where it stores, in one line. */
export function describePlace(place: Place): string {
  if (place.type === 'directory') return place.path;
  const prefix = place.prefix === undefined ? '' : `/${place.prefix}`;
  return `${place.bucket}${prefix}${place.endpoint === undefined ? '' : ` at ${new URL(place.endpoint).host}`}`;
}

export function describeType(place: Place): string {
  return place.type === 's3' ? 'S3' : 'Directory';
}

export type LocationErrors = Partial<Record<keyof LocationDraft, string>>;

/** What is wrong by field, before anything is sent. `known`: names of the secrets that the manager has. */
export function checkLocation(draft: LocationDraft, known: readonly string[]): LocationErrors {
  const place = draft.type === 's3' ? checkBucket(draft, known) : checkPath(draft);
  return withoutGaps({ name: checkName(draft.name), ...place, ...checkPassphrase(draft, known) });
}

function checkName(name: string): string | undefined {
  if (name.trim() === '') return 'Give it a name.';
  if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/.test(name.trim()))
    return 'Use letters, digits, dots, colons, underscores and hyphens; begin with a letter or digit; at most 100.';
  return undefined;
}

type Checks = Partial<Record<keyof LocationDraft, string | undefined>>;

function checkBucket(draft: LocationDraft, known: readonly string[]): Checks {
  const isBucket = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i.test(draft.bucket.trim());
  const isUrl = draft.endpoint.trim() === '' || /^https?:\/\/[^/]+\/?$/.test(draft.endpoint.trim());
  const hasHalf = (draft.accessKeyId === '') !== (draft.secretAccessKey === '');
  const isMissing = (one: string): string | undefined => (one === '' && hasHalf ? 'Both keys are needed.' : undefined);
  return {
    bucket: isBucket ? undefined : 'Give the name of a bucket: 3 to 63 letters, digits, dots or hyphens.',
    prefix: isPrefix(draft.prefix.trim()) ? undefined : 'Use names with / between them, without one at either end.',
    endpoint: isUrl ? undefined : 'Give an address such as https://s3.example.net, without a path.',
    accessKeyId: isMissing(draft.accessKeyId),
    secretAccessKey: isMissing(draft.secretAccessKey),
    sessionToken:
      draft.sessionToken !== '' && draft.accessKeyId === '' && !known.includes('accessKeyId')
        ? 'A session token belongs to an access key.'
        : undefined,
  };
}

function checkPath({ path }: LocationDraft): Checks {
  const isPath = path.trim().startsWith('/') && path.trim().length > 1;
  return { path: isPath ? undefined : 'Give an absolute path, such as /srv/backups.' };
}

function checkPassphrase(
  { isEncrypted, passphrase, passphraseAgain }: LocationDraft,
  known: readonly string[],
): Checks {
  if (!isEncrypted || (passphrase === '' && known.includes('passphrase'))) return {};
  return {
    passphrase: passphrase.length < 8 ? 'Use at least 8 characters.' : undefined,
    passphraseAgain: passphraseAgain === passphrase ? undefined : 'The two differ.',
  };
}

function isPrefix(text: string): boolean {
  return text === '' || text.split('/').every((part) => !['', '.', '..'].includes(part));
}

function placeOf(draft: LocationDraft): Place {
  if (draft.type === 'directory') return { type: 'directory', path: draft.path.trim() };
  return {
    type: 's3',
    bucket: draft.bucket.trim(),
    ...given('prefix', draft.prefix),
    ...given('region', draft.region),
    ...given('endpoint', draft.endpoint),
    ...(draft.addressing === 'path' ? { addressing: 'path' } : {}),
  };
}

function secretsOf(draft: LocationDraft): LocationSecrets {
  return {
    ...(draft.type === 's3' ? keysOf(draft) : {}),
    ...(draft.isEncrypted && draft.passphrase !== '' ? { passphrase: draft.passphrase } : {}),
  };
}

function keysOf({ accessKeyId, secretAccessKey, sessionToken }: LocationDraft): LocationSecrets {
  return {
    ...given('accessKeyId', accessKeyId),
    ...given('secretAccessKey', secretAccessKey),
    ...given('sessionToken', sessionToken),
  };
}

function given<Key extends string>(key: Key, text: string): { [K in Key]?: string } {
  const value = text.trim();
  return value === '' ? {} : ({ [key]: value } as { [K in Key]: string });
}

function withoutGaps(checks: Checks): LocationErrors {
  return Object.fromEntries(Object.entries(checks).filter(([, text]) => text !== undefined));
}
