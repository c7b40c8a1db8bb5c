import type { SpecOf } from '../api/resources.ts';
import { Failure, PermanentFailure } from '../lib/failure.ts';
import { openRepository } from '../repository/repository.ts';
import type { ControlContext } from './context.ts';
import type { FolderUse } from './folder-use.ts';
import { missingPassphrase } from './location-text.ts';
import type { SecretRecord } from './secrets.ts';

/** A storage location as it would be after a change. */
export interface ChangedLocation {
  readonly name: string;
  readonly spec: Pick<SpecOf<'StorageLocation'>, 'place' | 'isEncrypted'>;
  readonly secrets: SecretRecord;
}

interface StoredKeyContext extends Pick<ControlContext, 'stores' | 'clock'> {
  readonly folders: FolderUse;
}

const limitMs = 60_000;
/** Stretching a passphrase takes a moment for each repository; one that opens so many is no mistake. */
const maximumFolders = 8;

/**
 * Opens what a location holds: at its top, and in the folders of backups that the catalog knows. What is not encrypted, or not
 * there, refuses nothing.
 * @throws PermanentFailure `wrong-key`, `not-encrypted`; CorruptData; Failure of the store, `storage-too-slow`
 */
export async function refuseWrongKey(
  context: StoredKeyContext,
  location: ChangedLocation,
  { signal: given }: { readonly signal: AbortSignal },
): Promise<void> {
  if (!location.spec.isEncrypted) return;
  const limit = AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([given, limit]);
  try {
    const folders = [undefined, ...context.folders.foldersOf(location.name)];
    for (const folder of folders.slice(0, maximumFolders)) await openOne(context, { ...location, folder }, signal);
  } catch (error) {
    if (limit.aborted && !given.aborted) throw tooSlow(location.name, error);
    throw error;
  }
}

async function openOne(
  { stores, clock }: Pick<ControlContext, 'stores' | 'clock'>,
  { name, spec, secrets, folder }: ChangedLocation & { readonly folder: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const passphrase = secrets['passphrase'] ?? missingPassphrase(name);
  try {
    await using storage = await stores.open({ spec, secrets, folder }, { signal, mayCreate: false });
    await openRepository(storage, { clock, signal, unlock: { kind: 'passphrase', passphrase } });
  } catch (error) {
    if (!(error instanceof Failure) || signal.aborted) throw error;
    if (error.code === 'not-a-repository' || error.code === 'storage-missing') return;
    throw error.code === 'wrong-key' ? wrongPassphrase({ name, folder }, error) : error;
  }
}

function wrongPassphrase({ name, folder }: { name: string; folder: string | undefined }, cause: Failure) {
  const where = folder === undefined ? 'at its top' : `in folder ${folder}`;
  return new PermanentFailure(
    'wrong-key',
    `Cannot use this passphrase for storage location ${name} as it does not open the repository ${where}`,
    {
      cause,
      nextStep:
        'Enter the one that it was made with, or add this one to it first: `holdfast repository key add --new-passphrase-file`.',
    },
  );
}

function tooSlow(name: string, cause: unknown): Failure {
  return new Failure(
    'storage-too-slow',
    `Cannot change storage location ${name} as it is too slow: what is stored there was not opened within ${limitMs / 1000} s`,
    { cause, nextStep: 'Check the connection to the store, and try again.' },
  );
}
