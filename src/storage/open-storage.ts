import { DirectoryStorage } from './directory.ts';
import type { S3Location, StorageLocation } from './location.ts';
import { retrying, type RetryPolicy } from './retrying.ts';
import type { Storage } from './storage.ts';

/** Absent ones are looked up by the SDK: environment, profile, the machine's role. */
export interface StorageSecrets {
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
}

/** A store that retries, and closes its connections when disposed. For composition roots only, as it imports the adapters. */
export async function openStorage(
  location: StorageLocation,
  { secrets = {}, policy = {} }: { secrets?: StorageSecrets; policy?: RetryPolicy } = {},
): Promise<Storage & AsyncDisposable> {
  const storage = location.kind === 's3' ? await openS3(location, secrets) : new DirectoryStorage(location.path);
  return Object.assign(retrying(storage, policy), {
    [Symbol.asyncDispose]: async () => {
      if (Symbol.asyncDispose in storage) await storage[Symbol.asyncDispose]();
    },
  });
}

async function openS3({ bucket, prefix, region, endpoint, addressing, checksum }: S3Location, secrets: StorageSecrets) {
  // The SDK takes longer to load than all the rest.
  const { S3Storage } = await import('./s3.ts');
  const forcePathStyle = addressing === undefined ? undefined : addressing === 'path';
  return new S3Storage({ ...secrets, bucket, prefix, region, endpoint, checksum, forcePathStyle });
}
