import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import { openDatabase } from '../catalog/sqlite-database.ts';
import { openSqliteSecrets } from '../catalog/sqlite-secrets.ts';
import { openSqliteCatalog } from '../catalog/sqlite.ts';
import type { SecretStore } from '../control/secrets.ts';
import type { Clock } from '../lib/clock.ts';
import { PermanentFailure } from '../lib/failure.ts';
import { lockDirectory } from '../lib/single-instance.ts';
import { peopleMigrations } from '../server/people/people-database.ts';
import { People } from '../server/people/people.ts';
import { readCertificate, type ServerCertificate } from '../server/server-certificate.ts';
import { isLoopback } from './addresses.ts';
import type { ManagerConfig } from './config.ts';

/** What a manager keeps in its state directory. */
export interface ManagerState extends AsyncDisposable {
  readonly catalog: Catalog;
  readonly secrets: SecretStore;
  readonly people: People;
  /** Undefined: plain HTTP, for this host alone. */
  readonly certificate: ServerCertificate | undefined;
}

/**
 * A part of the composition root.
 * @throws Conflict `manager-already-runs`; PermanentFailure `state-directory-unusable`, `catalog-too-new`, `secrets-key-lost`;
 * what `readCertificate` throws
 */
export async function openState(config: ManagerConfig, { clock }: { readonly clock: Clock }): Promise<ManagerState> {
  const { stateDirectory } = config;
  await using stack = new AsyncDisposableStack();
  await prepareDirectory(stateDirectory);
  stack.use(await lockDirectory(stateDirectory, 'manager'));
  const certificate = await certificateFor(config, clock);
  const file = join(stateDirectory, 'catalog.sqlite');
  const catalog = stack.use(await openSqliteCatalog({ file, clock }));
  const secrets = stack.use(await openSqliteSecrets({ file, clock }));
  const peopleFile = join(stateDirectory, 'people.sqlite');
  const database = stack.use(await openDatabase({ file: peopleFile, clock, migrations: peopleMigrations }));
  const people = new People({ database, clock, initialPasswordFile: join(stateDirectory, 'initial-password') });
  const owned = stack.move();
  return { catalog, secrets, people, certificate, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}

/** On this host alone there is nothing to listen in on, and a browser takes no exception. */
async function certificateFor(config: ManagerConfig, clock: Clock): Promise<ServerCertificate | undefined> {
  const { tls: files, listen, stateDirectory } = config;
  if (files === undefined && isLoopback(listen.address)) return undefined;
  const common = { stateDirectory, listenAddress: listen.address, commonName: 'Holdfast manager', clock };
  return readCertificate({ files, ...common });
}

async function prepareDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
  } catch (cause) {
    throw new PermanentFailure(
      'state-directory-unusable',
      `Cannot use the manager's state directory as the system refused: ${directory}`,
      {
        cause,
        nextStep: "Create it for the manager's user, or name another one as `stateDirectory` in the manager's file.",
      },
    );
  }
}
