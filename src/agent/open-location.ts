import type { LocationWish } from '../api/jobs.ts';
import { Conflict, Failure, InvalidRequest, PermanentFailure } from '../lib/failure.ts';
import type { Sealed } from '../repository/documents.ts';
import { initRepository, openRepository, refuseExisting, type Repository } from '../repository/repository.ts';
import { isDeleted, readSettlement } from '../repository/settle.ts';
import type { Unlock } from '../repository/slots.ts';
import type { LocationConfig } from './config-schema.ts';
import type { AgentContext } from './context.ts';
import type { Abortable, Host, StoreWish } from './host.ts';
import { readSecretFile, readSecretLine } from '../lib/secret-file.ts';
import { readCredentials, type S3Credentials } from './credentials-file.ts';

export interface Place {
  readonly location: LocationWish;
  readonly folder?: string | undefined;
}

export interface OpenedRepository extends AsyncDisposable {
  readonly repository: Repository;
}

export interface OpenOptions {
  readonly signal: AbortSignal;
  /** Make a repository where there is none yet. */
  readonly mayCreate: boolean;
}

/**
 * Opens the repository at a place that the agent's file lists or allows, with its key.
 * @throws InvalidRequest `unknown-location`; PermanentFailure `location-not-allowed`, `not-a-repository`, `repository-not-encrypted`, `wrong-key`
 */
export async function openLocation(
  context: AgentContext,
  { location, folder }: Place,
  options: OpenOptions,
): Promise<OpenedRepository> {
  const { name, unlock, ...where } = await accessTo(context, location);
  const { mayCreate } = options;
  const storage = await context.host.openStore({ ...where, folder, mayCreate });
  try {
    const repository = await openOrMake(context, { storage, unlock, ...options });
    if (unlock !== undefined && repository.facts.keyId === undefined) throw notEncrypted(name, storage.description);
    return { repository, [Symbol.asyncDispose]: async () => storage[Symbol.asyncDispose]() };
  } catch (error) {
    await storage[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * What a backup would find at a place, or make there. Makes nothing itself: where no repository is, two small objects try the store
 * and are removed.
 * @throws what `openLocation` throws, and what a store refuses
 */
export async function lookAtLocation(
  context: AgentContext,
  place: Place,
  { signal }: Abortable,
): Promise<{ readonly description: string; readonly isEncrypted: boolean; readonly isThere: boolean }> {
  try {
    await using opened = await openLocation(context, place, { signal, mayCreate: false });
    const { storage, facts } = opened.repository;
    return { description: storage.description, isEncrypted: facts.keyId !== undefined, isThere: true };
  } catch (error) {
    if (!hasCode(error, ['not-a-repository', 'storage-missing'])) throw error;
  }
  const { unlock, name: _, ...where } = await accessTo(context, place.location);
  const wish = { ...where, folder: place.folder, mayCreate: false };
  await using storage = await context.host.openStore(wish);
  const isThere = await canStore(context.host, storage, { wish, signal });
  if (isThere) await refuseExisting(storage, signal);
  else await refuseParents(context.host, wish, { signal });
  return { description: storage.description, isEncrypted: unlock !== undefined, isThere: false };
}

/** A folder of a directory store that is not there yet is tried in the nearest one that is. */
async function refuseParents(host: Host, wish: StoreWish, options: Abortable): Promise<void> {
  const folder = wish.folder?.split('/').slice(0, -1).join('/') || undefined;
  const above = { ...wish, folder };
  await using storage = await host.openStore(above);
  if (!(await canStore(host, storage, { wish: above, ...options }))) await refuseParents(host, above, options);
}

/** False for a folder that is not there. @throws what keeps the store from being used */
async function canStore(
  host: Host,
  storage: Repository['storage'],
  { wish, signal }: Abortable & { readonly wish: StoreWish },
): Promise<boolean> {
  const { failures } = await host.probe(storage, { signal });
  const [failure] = failures;
  if (failure === undefined) return true;
  if (wish.folder !== undefined && hasCode(failure, ['storage-missing'])) return false;
  throw failure;
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Failure && codes.includes(error.code);
}

/** @throws InvalidRequest `no-such-backup` for what is not there, given up or deleted */
export async function readSealed(repository: Repository, backup: string, signal: AbortSignal): Promise<Sealed> {
  const settlement = await readSettlement(repository, backup, signal);
  const isGone = await isDeleted(repository, backup, signal);
  if (settlement?.state === 'sealed' && !isGone) return settlement;
  const state = isGone
    ? 'it was deleted'
    : settlement === undefined
      ? 'no backup of this id was sealed there'
      : 'it was given up';
  throw new InvalidRequest(
    'no-such-backup',
    `Cannot use backup ${backup} in ${repository.storage.description} as ${state}`,
    {
      nextStep: '`holdfast repository list` shows the backups of a repository.',
    },
  );
}

interface Access {
  readonly name: string;
  readonly location: string;
  readonly credentials: S3Credentials | undefined;
  readonly unlock: Unlock | undefined;
}

async function accessTo(context: AgentContext, wish: LocationWish): Promise<Access> {
  if (typeof wish !== 'string') return broughtAlong(context, wish);
  const config = locationConfig(context, wish);
  const credentials = config.credentialsFile === undefined ? undefined : await readCredentials(config.credentialsFile);
  return { name: wish, location: config.location, credentials, unlock: await readUnlock(config) };
}

/** A location that came with the request. */
async function broughtAlong(
  { host, config }: AgentContext,
  { name, location, credentials, encryption }: Exclude<LocationWish, string>,
): Promise<Access> {
  if (!(await host.allows(location, config.managedLocations))) throw locationNotAllowed(name, location);
  return {
    name,
    location,
    credentials: credentials && { ...credentials, sessionToken: credentials.sessionToken },
    unlock: encryption.type === 'none' ? undefined : { kind: 'passphrase', passphrase: encryption.passphrase },
  };
}

function locationNotAllowed(name: string, location: string): PermanentFailure {
  return new PermanentFailure(
    'location-not-allowed',
    `Cannot use the storage location ${name} as the agent's file does not allow it: ${location}`,
    {
      nextStep: `On the agent's host, add ${JSON.stringify(location)}, or what it begins with, to \`managedLocations\` in the agent's file and restart the agent.`,
    },
  );
}

function locationConfig({ config }: AgentContext, name: string): LocationConfig {
  const found = Object.hasOwn(config.locations, name) ? config.locations[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(config.locations).join(', ');
  throw new InvalidRequest(
    'unknown-location',
    `Cannot use the storage location ${name} as the agent's file does not list it: it lists ${names === '' ? 'none' : names}`,
    {
      nextStep: "Add it to `locations` in the agent's file and restart the agent.",
    },
  );
}

async function readUnlock({ encryption }: LocationConfig): Promise<Unlock | undefined> {
  if (encryption.type === 'passphrase')
    return { kind: 'passphrase', passphrase: await readSecretLine(encryption.file) };
  if (encryption.type === 'key-file') return { kind: 'key-file', bytes: await readSecretFile(encryption.file) };
  return undefined;
}

interface Opening extends OpenOptions {
  readonly storage: Repository['storage'];
  readonly unlock: Unlock | undefined;
}

async function openOrMake(context: AgentContext, opening: Opening): Promise<Repository> {
  const { clock } = context;
  const { storage, signal, unlock } = opening;
  try {
    return await openRepository(storage, { clock, signal, unlock });
  } catch (error) {
    if (!hasCode(error, ['not-a-repository']) || !opening.mayCreate) throw error;
    return make(context, opening);
  }
}

async function make({ host, clock, program }: AgentContext, { storage, signal, unlock }: Opening): Promise<Repository> {
  const { conditionalPut, failures } = await host.probe(storage, { signal });
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  try {
    return await initRepository(storage, { clock, signal, conditionalPut, unlock, label: program });
  } catch (error) {
    // Another writer was faster: theirs is as good.
    if (!(error instanceof Conflict) || error.code !== 'repository-exists') throw error;
    return openRepository(storage, { clock, signal, unlock });
  }
}

function notEncrypted(location: string, description: string): PermanentFailure {
  return new PermanentFailure(
    'repository-not-encrypted',
    `Cannot use the repository in storage location ${location} as it is not encrypted and must be: ${description}`,
    { nextStep: 'Use another folder, or say `"encryption": {"type": "none"}` for this location.' },
  );
}
