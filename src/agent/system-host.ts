import { realpath } from 'node:fs/promises';
import { serverArguments } from '../core/server-using.ts';
import { chooseEngine } from '../engine/choose-engine.ts';
import { findEngines } from '../engine/find-engines.ts';
import { collectOptionFiles, optionFilesNamed } from '../engine/option-files.ts';
import { PrivateDirectory } from '../engine/private-directory.ts';
import { readServerFacts } from '../engine/server-facts.ts';
import { Sql } from '../engine/sql.ts';
import { isWithin } from '../storage/location-within.ts';
import { parseLocation, type StorageLocation } from '../storage/location.ts';
import { openFolder } from '../storage/open-folder.ts';
import { probeStorage } from '../storage/probe.ts';
import type { AgentConfig } from './config.ts';
import type { Host } from './host.ts';

/** The host as it is: a part of the composition root, with the adapters for tools, servers and stores. */
export function systemHost({ toolPath, toolEnv }: AgentConfig): Host {
  return {
    openStore: async ({ location, ...wish }) => openFolder(location, wish),
    allows,
    probe: async (storage, { signal }) => {
      const { conditionalPut, findings } = await probeStorage(storage, { signal });
      return { conditionalPut, failures: findings.flatMap(({ failure }) => (failure === undefined ? [] : [failure])) };
    },
    readServerFacts,
    findEngines: async ({ signal }) => findEngines({ path: toolPath, env: toolEnv, signal }),
    chooseEngine,
    optionFiles: async (dataDirectory, { signal }) =>
      collectOptionFiles({ files: optionFilesNamed(await serverArguments(dataDirectory)), signal }),
    connect: async (connection, given) => Sql.connect(connection, given),
    removePrivateLeftovers: async () => {
      // Making one removes those of processes that are gone.
      await using _ = await PrivateDirectory.create();
    },
  };
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
