import { systemClock } from '../../src/lib/clock.ts';
import type { Sealed } from '../../src/repository/documents.ts';
import { FRAME_HEADER_BYTES } from '../../src/repository/frame.ts';
import { listBackups } from '../../src/repository/list.ts';
import { indexKey, segmentOfKey } from '../../src/repository/names.ts';
import { initRepository, openRepository, type Repository } from '../../src/repository/repository.ts';
import { readFooter } from '../../src/repository/segment-reader.ts';
import { parseLocation } from '../../src/storage/location.ts';
import { openStorage, type StorageSecrets } from '../../src/storage/open-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';

const { signal } = new AbortController();

/** Makes an unencrypted repository in an existing, empty folder. */
export async function makeRepository(location: string, secrets: StorageSecrets = {}): Promise<void> {
  await using storage = await openStorage(parseLocation(location), { secrets });
  await initRepository(storage, { clock: systemClock, signal, conditionalPut: true, unlock: undefined, label: '' });
}

export interface BackupFacts {
  /** Bytes of everything that was stored for it. */
  readonly storedBytes: number;
  /** Bytes of nodes of the index among them, with the root. */
  readonly indexBytes: number;
  readonly logicalBytes: number;
  readonly files: number;
}

/** What the newest backup cost, read from the store itself. */
export async function newestBackup(location: string, secrets: StorageSecrets = {}): Promise<BackupFacts> {
  await using storage = await openStorage(parseLocation(location), { secrets });
  const repository = await openRepository(storage, { clock: systemClock, signal, unlock: undefined });
  const sealed = await newestSealed(repository);
  const objects = await objectsOf(storage, sealed);
  let nodes = 0;
  for (const { key, size } of objects) {
    const name = segmentOfKey(key);
    if (name === undefined) continue;
    const frames = await readFooter({ name, size }, { ...repository, signal });
    for (const frame of frames) if (frame.kind === 'node') nodes += FRAME_HEADER_BYTES + frame.bodyLength;
  }
  const root = objects.find(({ key }) => key === indexKey(sealed))?.size ?? 0;
  const storedBytes = objects.reduce((sum, { size }) => sum + size, 0);
  return { storedBytes, indexBytes: nodes + root, logicalBytes: sealed.logicalBytes, files: sealed.files };
}

async function newestSealed(repository: Repository): Promise<Sealed> {
  const newest = (await listBackups(repository, { signal })).findLast(({ state }) => state === 'sealed');
  if (newest?.state !== 'sealed')
    throw new Error(`Cannot measure a backup as there is none: ${repository.storage.description}`);
  return newest.sealed;
}

async function objectsOf(storage: Storage, { backup }: Sealed): Promise<{ key: string; size: number }[]> {
  const found: { key: string; size: number }[] = [];
  for await (const { key, size } of storage.list('', { signal })) if (key.includes(backup)) found.push({ key, size });
  return found;
}
