import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { InvalidRequest } from '../lib/failure.ts';
import { checkKey } from './key.ts';

export interface DirectoryLocation {
  readonly kind: 'directory';
  /** Absolute. */
  readonly path: string;
}

export interface S3Location {
  readonly kind: 's3';
  readonly bucket: string;
  /** Without slashes at its ends; empty for the whole bucket. */
  readonly prefix: string;
  readonly region?: string;
  readonly endpoint?: string;
  /** Is the bucket part of the path (`path`) or of the host name (`virtual`)? */
  readonly addressing?: 'path' | 'virtual';
  readonly checksum?: boolean;
}

/** Where a store is, without credentials, so that it can be shown, stored and logged. */
export type StorageLocation = DirectoryLocation | S3Location;

/**
 * Reads a location as people write it: `/abs/dir`, `dir:path`, `file:///path` or
 * `s3://bucket/prefix?region=…&endpoint=…&addressing=path|virtual&checksum=crc32|none`. Throws `InvalidRequest`, also for
 * credentials in the text; what it throws does not repeat the text, as it may hold some.
 */
export function parseLocation(text: string): StorageLocation {
  if (text.includes('\0')) throw invalid('it has a NUL character');
  if (text.startsWith('/')) return { kind: 'directory', path: resolve(text) };
  if (text.startsWith('dir:') && text.length > 'dir:'.length)
    return { kind: 'directory', path: resolve(text.slice('dir:'.length)) };
  if (text.startsWith('file:')) return parseFile(text);
  if (text.startsWith('s3://')) return parseS3(text.slice('s3://'.length));
  throw invalid(
    'it is neither an absolute path, nor does it begin with dir:, file:/// or s3://',
    'Write dir: before a relative path.',
  );
}

/** The text that `parseLocation` reads as this location. */
export function formatLocation(location: StorageLocation): string {
  if (location.kind === 'directory') return location.path;
  const { bucket, prefix, region, endpoint, addressing, checksum } = location;
  const query = new URLSearchParams();
  if (region !== undefined) query.set('region', region);
  if (endpoint !== undefined) query.set('endpoint', endpoint);
  if (addressing !== undefined) query.set('addressing', addressing);
  if (checksum !== undefined) query.set('checksum', checksum ? 'crc32' : 'none');
  const path = prefix === '' ? '' : `/${prefix.split('/').map(encodeURIComponent).join('/')}`;
  return `s3://${bucket}${path}${query.size === 0 ? '' : `?${query.toString()}`}`;
}

function parseFile(text: string): DirectoryLocation {
  try {
    return { kind: 'directory', path: resolve(fileURLToPath(text)) };
  } catch {
    throw invalid('its file: address is not of this machine', 'Write file:///path with three slashes.');
  }
}

function parseS3(rest: string): S3Location {
  const [address = '', ...queries] = rest.split('?');
  if (address.includes('@')) throw credentialsFound();
  const [bucket = '', ...segments] = address.split('/');
  if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i.test(bucket)) throw invalid('its bucket name is not one that S3 allows');
  return { kind: 's3', bucket, prefix: parsePrefix(segments), ...parseQuery(queries.join('?')) };
}

function parsePrefix(segments: readonly string[]): string {
  try {
    const prefix = decodeURIComponent(segments.join('/')).replace(/\/+$/, '');
    if (prefix !== '') checkKey(prefix);
    return prefix;
  } catch {
    throw invalid('its prefix has an empty segment, dots only, control characters, or a wrong % escape');
  }
}

function parseQuery(text: string): Omit<S3Location, 'kind' | 'bucket' | 'prefix'> {
  const settings: { -readonly [Name in keyof S3Location]?: S3Location[Name] } = {};
  for (const [name, value] of new URLSearchParams(text)) {
    if (/key|secret|token|password|credential|signature/i.test(name)) throw credentialsFound();
    if (name === 'region') settings.region = value;
    else if (name === 'endpoint') settings.endpoint = parseEndpoint(value);
    else if (name === 'addressing') settings.addressing = oneOf(value, { name, values: ['path', 'virtual'] });
    else if (name === 'checksum') settings.checksum = oneOf(value, { name, values: ['crc32', 'none'] }) === 'crc32';
    else
      throw invalid('it has an unknown parameter', 'Known parameters are region, endpoint, addressing and checksum.');
  }
  return settings;
}

function parseEndpoint(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw invalid('its endpoint does not begin with http:// or https://');
  if (url.username !== '' || url.password !== '') throw credentialsFound();
  if (url.search !== '' || url.hash !== '') throw invalid('its endpoint has parameters of its own', 'Escape & as %26.');
  return url.href.replace(/\/$/, '');
}

function oneOf<const Value extends string>(
  text: string,
  { name, values }: { name: string; values: readonly Value[] },
): Value {
  const value = values.find((each) => each === text);
  if (value === undefined) throw invalid(`its ${name} is none of ${values.join(', ')}`);
  return value;
}

function credentialsFound(): InvalidRequest {
  return invalid(
    'it holds credentials, which would show in process lists and logs',
    'Put them into the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or into a credentials file.',
  );
}

function invalid(
  why: string,
  nextStep = 'Write for example /srv/backups or s3://bucket/folder?region=eu-central-1.',
): InvalidRequest {
  return new InvalidRequest('storage-location-invalid', `Cannot use this storage location as ${why}`, { nextStep });
}
