import { InvalidRequest } from '../lib/failure.ts';
import { openRepository, openWithoutKey, type Repository } from '../repository/repository.ts';
import type { Unlock } from '../repository/slots.ts';
import { formatLocation, parseLocation, type StorageLocation } from '../storage/location.ts';
import { openStorage } from '../storage/open-storage.ts';
import type { Storage } from '../storage/storage.ts';
import type { Context } from './context.ts';
import { readUnlock } from './unlock.ts';

/** A repository that is closed when disposed of. */
export interface OpenedRepository extends AsyncDisposable {
  readonly repository: Repository;
}

/** As far as it can be read without its key. */
export type ReadableRepository = Pick<Repository, 'storage' | 'facts' | 'clock'> & Partial<Repository>;

export function locationOf({ options }: Context): StorageLocation {
  if (options.repository !== undefined && options.repository !== '') return parseLocation(options.repository);
  throw new InvalidRequest('no-repository', 'Cannot do this as no repository is named', {
    nextStep:
      'Give its location with --repository or HOLDFAST_REPOSITORY, such as /srv/backups or s3://bucket/folder?region=eu-central-1.',
  });
}

export function describeLocation(context: Context): string {
  return formatLocation(locationOf(context));
}

export async function openStore(context: Context): Promise<Storage & AsyncDisposable> {
  const { accessKeyId, secretAccessKey } = context.environment.storageSecrets;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new InvalidRequest(
      'storage-credentials-incomplete',
      'Cannot use these credentials as only one of HOLDFAST_S3_ACCESS_KEY_ID and HOLDFAST_S3_SECRET_ACCESS_KEY is set',
    );
  }
  return openStorage(locationOf(context), { secrets: context.environment.storageSecrets });
}

export async function unlockOf({ options, environment, output }: Context): Promise<Unlock | undefined> {
  const { passphraseFile, keyFile } = options;
  return readUnlock({ passphraseFile, keyFile, passphrase: environment.passphrase }, output);
}

/** Opens the repository with its key. */
export async function openFully(context: Context): Promise<OpenedRepository> {
  const { clock, signal } = context;
  const unlock = await unlockOf(context);
  const storage = await openStore(context);
  return closingOnError(storage, async () => ({
    repository: await openRepository(storage, { clock, signal, unlock }),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }));
}

/** Opens it with the key where one is given, else as far as it can be read without. */
export async function openReadable(
  context: Context,
): Promise<{ readonly repository: ReadableRepository } & AsyncDisposable> {
  const { clock, signal } = context;
  const unlock = await unlockOf(context);
  const storage = await openStore(context);
  return closingOnError(storage, async () => {
    const facts = await openWithoutKey(storage, { clock, signal });
    const isOpen = unlock !== undefined || facts.facts.keyId === undefined;
    const repository = isOpen ? await openRepository(storage, { clock, signal, unlock }) : facts;
    return { repository, [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose]() };
  });
}

/** Without its key MACs are not verified: people are told. */
export function warnUnverified({ output }: Context, { cipher }: ReadableRepository): void {
  if (cipher === undefined) output.remark('The key was not given, so what is shown is not verified.');
}

async function closingOnError<T>(storage: AsyncDisposable, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await storage[Symbol.asyncDispose]();
    throw error;
  }
}
