import { realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { InvalidRequest } from '../lib/failure.ts';
import { prepareDirectory } from './directory.ts';
import { parseLocation, type StorageLocation } from './location.ts';
import { openStorage, type StorageSecrets } from './open-storage.ts';
import type { Storage } from './storage.ts';

export interface FolderWish {
  /** Below the location; names with `/` between them. */
  readonly folder: string | undefined;
  readonly credentials: StorageSecrets | undefined;
  /** Make the directory of a directory store when it is not there. */
  readonly mayCreate: boolean;
}

/**
 * The store in a folder of a location, e.g. of `s3://bucket/prefix`. For composition roots only.
 * @throws InvalidRequest `folder-outside` when the folder leads out of the location
 */
export async function openFolder(
  text: string,
  { folder, credentials, mayCreate }: FolderWish,
): Promise<Storage & AsyncDisposable> {
  const base = parseLocation(text);
  const location = folder === undefined ? base : within(base, folder);
  if (location.kind === 'directory' && base.kind === 'directory') {
    if (mayCreate) await makeFolders(base.path, location.path);
    await refuseOutside(base.path, location.path);
  }
  return openStorage(location, { secrets: credentials ?? {} });
}

function within(base: StorageLocation, folder: string): StorageLocation {
  if (base.kind === 'directory') return { ...base, path: join(base.path, folder) };
  return { ...base, prefix: base.prefix === '' ? folder : `${base.prefix}/${folder}` };
}

/** The directory of the location itself is never made: it may be a file system that is not mounted. */
async function makeFolders(base: string, path: string): Promise<void> {
  if (path === base) return;
  if (dirname(path) !== base) await makeFolders(base, dirname(path));
  await prepareDirectory(path);
}

/** A symbolic link in a store must not lead elsewhere. */
async function refuseOutside(base: string, path: string): Promise<void> {
  if (path === base) return;
  const [root, real] = await Promise.all([realOr(base), realOr(path)]);
  if (root === undefined || real === undefined || real.startsWith(`${root}${sep}`)) return;
  throw new InvalidRequest(
    'folder-outside',
    `Cannot use this folder as it leads out of the storage location: ${path}`,
    {
      nextStep: 'Choose a folder that is no symbolic link.',
    },
  );
}

async function realOr(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}
