import { realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { chooseEngine } from '../engine/choose-engine.ts';
import { findEngines } from '../engine/find-engines.ts';
import { collectOptionFiles } from '../engine/option-files.ts';
import { PrivateDirectory } from '../engine/private-directory.ts';
import { readServerFacts } from '../engine/server-facts.ts';
import { Sql } from '../engine/sql.ts';
import { InvalidRequest } from '../lib/failure.ts';
import { prepareDirectory } from '../storage/directory.ts';
import { isWithin } from '../storage/location-within.ts';
import { parseLocation, type StorageLocation } from '../storage/location.ts';
import { openStorage } from '../storage/open-storage.ts';
import { probeStorage } from '../storage/probe.ts';
import type { AgentConfig } from './config.ts';
import type { Host, StoreWish } from './host.ts';

/** The host as it is: a part of the composition root, with the adapters for tools, servers and stores. */
export function systemHost({ toolPath, toolEnv }: AgentConfig): Host {
  return {
    openStore,
    allows,
    probe: async (storage, { signal }) => {
      const { conditionalPut, findings } = await probeStorage(storage, { signal });
      return { conditionalPut, failures: findings.flatMap(({ failure }) => (failure === undefined ? [] : [failure])) };
    },
    readServerFacts,
    findEngines: async ({ signal }) => findEngines({ path: toolPath, env: toolEnv, signal }),
    chooseEngine,
    optionFiles: async ({ signal }) => collectOptionFiles({ signal }),
    connect: async (connection, given) => Sql.connect(connection, given),
    removePrivateLeftovers: async () => {
      // Making one removes those of processes that are gone.
      await using _ = await PrivateDirectory.create();
    },
  };
}

async function openStore({ location: text, folder, credentials, mayCreate }: StoreWish) {
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

async function allows(text: string, allowed: readonly string[]): Promise<boolean> {
  const location = parseLocation(text);
  if (allowed.includes('*')) return true;
  const real = await resolved(location);
  for (const each of allowed) if (isWithin(real, await resolved(parseLocation(each)))) return true;
  return false;
}

/** A directory that is not there cannot be used either, so its name will do. */
async function resolved(location: StorageLocation): Promise<StorageLocation> {
  if (location.kind === 's3') return location;
  return { ...location, path: (await realOr(location.path)) ?? location.path };
}
