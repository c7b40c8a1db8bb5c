import type * as z from 'zod';
import type { ManagedLocation } from '../api/jobs.ts';
import type { Resource, SpecOf } from '../api/resources.ts';
import type { s3PlaceSchema } from '../api/inventory.ts';
import { PermanentFailure } from '../lib/failure.ts';
import type { SecretRecord } from './secrets.ts';

type Place = SpecOf<'StorageLocation'>['place'];

/** A place as one line, without secrets: what agents, the command line and `src/storage` read. */
export function textOfPlace(place: Place): string {
  return place.type === 'directory' ? place.path : textOfS3(place);
}

/** What an agent needs to use a location, with its secrets. @throws PermanentFailure `passphrase-missing` */
export function managedLocation(
  { name, spec }: Pick<Resource<'StorageLocation'>, 'name' | 'spec'>,
  { accessKeyId, secretAccessKey, sessionToken, passphrase }: SecretRecord,
): ManagedLocation {
  const hasKeys = spec.place.type === 's3' && accessKeyId !== undefined && secretAccessKey !== undefined;
  const session = sessionToken === undefined ? {} : { sessionToken };
  return {
    name,
    location: textOfPlace(spec.place),
    ...(hasKeys ? { credentials: { accessKeyId, secretAccessKey, ...session } } : {}),
    encryption: spec.isEncrypted
      ? { type: 'passphrase', passphrase: passphrase ?? missingPassphrase(name) }
      : { type: 'none' },
  };
}

function textOfS3({ bucket, prefix, region, endpoint, addressing }: z.output<typeof s3PlaceSchema>): string {
  const query = new URLSearchParams();
  if (region !== undefined) query.set('region', region);
  if (endpoint !== undefined) query.set('endpoint', endpoint);
  if (addressing !== undefined) query.set('addressing', addressing);
  const path = prefix === undefined ? '' : `/${prefix.split('/').map(encodeURIComponent).join('/')}`;
  return `s3://${bucket}${path}${query.size === 0 ? '' : `?${query.toString()}`}`;
}

export function missingPassphrase(name: string): never {
  throw new PermanentFailure(
    'passphrase-missing',
    `Cannot use storage location ${name} as its passphrase is not known: it says that it is encrypted`,
    { nextStep: 'Enter the passphrase of the storage location.' },
  );
}
