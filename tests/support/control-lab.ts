import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentClient } from '../../src/api/client.ts';
import {
  agentSpecSchema,
  agentStatusSchema,
  locationSpecSchema,
  locationStatusSchema,
  serviceSpecSchema,
  serviceStatusSchema,
} from '../../src/api/inventory.ts';
import type { Resource, RunKind } from '../../src/api/resources.ts';
import { backupCreateSchema } from '../../src/api/backup-routes.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { openSqliteSecrets } from '../../src/catalog/sqlite-secrets.ts';
import { openSqliteCatalog } from '../../src/catalog/sqlite.ts';
import { type Control, startControl } from '../../src/control/control.ts';
import type { AgentCalls } from '../../src/control/launcher.ts';
import type { SecretStore } from '../../src/control/secrets.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { Failure } from '../../src/lib/failure.ts';
import { agedStores } from './aged-stores.ts';
import { openRepository, type Repository } from '../../src/repository/repository.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { type AgentHome, clientOf } from './agents.ts';

export const labPassphrase = 'a passphrase for the lab';
const signal = new AbortController().signal;

export interface ControlLabOptions {
  /** The agent's home, whose file must take `managedPlace(home)`. */
  readonly home: AgentHome;
  readonly agent: { readonly url: string; readonly fingerprint: string };
  readonly clock?: Clock;
}

/** The directory of the storage location `main` in tests with a manager. */
export function managedPlace(home: AgentHome): string {
  return join(home.directory, 'managed');
}

/** Catalog and control loops as in a manager, with one real agent `db1`, its service `shop` and a location `main`. */
export class ControlLab implements AsyncDisposable {
  /** While set, no call reaches the agent. */
  isCut = false;
  /** How long an agent may be silent, from the next restart on; undefined as people have it. */
  lostAfterMs: number | undefined;
  /** By how much longer everything seems to have been in the stores, from the next restart on. */
  agedMs = 0;
  readonly troubles: string[] = [];
  readonly #options: ControlLabOptions;
  #client: AgentClient;
  #parts: { readonly catalog: Catalog; readonly secrets: SecretStore & AsyncDisposable; readonly control: Control };

  private constructor(options: ControlLabOptions, client: AgentClient, parts: ControlLab['parts']) {
    this.#options = options;
    this.#client = client;
    this.#parts = parts;
  }

  static async start(options: ControlLabOptions): Promise<ControlLab> {
    const client = await clientOf(options.home, options.agent);
    let lab: ControlLab | undefined;
    const parts = await open(options, () => lab);
    lab = new ControlLab(options, client, parts);
    await mkdir(managedPlace(options.home), { recursive: true });
    await fill(parts, options);
    return lab;
  }

  get parts(): {
    readonly catalog: Catalog;
    readonly secrets: SecretStore & AsyncDisposable;
    readonly control: Control;
  } {
    return this.#parts;
  }

  get client(): AgentClient {
    return this.#client;
  }

  get control(): Control {
    return this.#parts.control;
  }

  get catalog(): Catalog {
    return this.#parts.catalog;
  }

  /** Ends the control loops and begins them anew on what the catalog says. */
  async restart(): Promise<void> {
    await close(this.#parts);
    this.#parts = await open(this.#options, () => this);
  }

  /** Another agent, or the same one after a restart. */
  async useAgent(agent: { readonly url: string; readonly fingerprint: string }): Promise<void> {
    this.#client[Symbol.dispose]();
    this.#client = await clientOf(this.#options.home, agent);
  }

  async backUp(name: string, more: object = {}): Promise<Resource<'Backup'>> {
    const wish = { name, service: 'shop', location: 'main', folder: 'shop', retry: { mode: 'manual' }, ...more };
    return this.control.createBackup(backupCreateSchema.parse(wish));
  }

  async get<Kind extends RunKind>(kind: Kind, name: string): Promise<Resource<Kind>> {
    const found = await this.catalog.get(kind, name);
    if (found === undefined) throw new Error(`There is no ${kind} ${name}`);
    return found;
  }

  /** Waits at most a minute. */
  async until<Kind extends RunKind>(
    kind: Kind,
    name: string,
    isSo: (run: Resource<Kind>) => boolean,
  ): Promise<Resource<Kind>> {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const found = await this.get(kind, name);
      if (isSo(found)) return found;
      if (performance.now() > deadline)
        throw new Error(
          `${kind} ${name} did not become what was waited for: ${JSON.stringify({ ...found.status, troubles: this.troubles }, null, 1)}`,
        );
      await sleep(20);
    }
  }

  /** Waits until its record is gone. */
  async removed(name: string): Promise<void> {
    const deadline = performance.now() + 60_000;
    while ((await this.catalog.get('Backup', name)) !== undefined) {
      if (performance.now() > deadline) throw new Error(`Backup ${name} is still there: ${this.troubles.join('; ')}`);
      await sleep(50);
    }
  }

  async ended<Kind extends RunKind>(kind: Kind, name: string): Promise<Resource<Kind>> {
    return this.until(kind, name, ({ status }) => ['Succeeded', 'Failed', 'Cancelled'].includes(status.state));
  }

  /** The repository of the service, read by the test itself. */
  async repository(folder = 'shop'): Promise<Repository> {
    const storage = new DirectoryStorage(join(managedPlace(this.#options.home), folder));
    const unlock = { kind: 'passphrase', passphrase: labPassphrase } as const;
    return openRepository(storage, { clock: systemClock, signal, unlock });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await close(this.#parts);
    this.#client[Symbol.dispose]();
  }
}

async function open({ home, clock = systemClock }: ControlLabOptions, lab: () => ControlLab | undefined) {
  const file = join(home.directory, 'manager', 'manager.db');
  const catalog = await openSqliteCatalog({ file, clock });
  const secrets = await openSqliteSecrets({ file, clock });
  const agent = (): AgentCalls => {
    const found = lab();
    if (found === undefined || found.isCut)
      throw new Failure('agent-unreachable', 'Cannot reach the agent as the test does not let it');
    return found.client;
  };
  const lostAfterMs = lab()?.lostAfterMs;
  const control = await startControl({
    catalog,
    secrets,
    launcher: { agent },
    stores: agedStores(lab()?.agedMs ?? 0),
    clock,
    onTrouble: (message, error) => lab()?.troubles.push(`${message}: ${String(error)}`),
    ...(lostAfterMs === undefined ? {} : { lostAfterMs }),
  });
  return { catalog, secrets, control };
}

async function close({ catalog, secrets, control }: ControlLab['parts']): Promise<void> {
  await control[Symbol.asyncDispose]();
  await secrets[Symbol.asyncDispose]();
  await catalog[Symbol.asyncDispose]();
}

/** What helper processes of a manager would have written: an agent that is connected, a service and a location. */
async function fill({ catalog, secrets }: ControlLab['parts'], { home, agent }: ControlLabOptions): Promise<void> {
  const { url, fingerprint } = agent;
  await catalog.create('Agent', 'db1', {
    spec: agentSpecSchema.parse({ connection: { type: 'listens', url, fingerprint } }),
    status: agentStatusSchema.parse({
      state: 'Connected',
      server: { isUp: true, vendor: 'MariaDB', version: '10.11.19', lineage: 'l', identity: 'i', dataDirectory: '/x' },
      engines: [{ name: 'mariadb-backup', version: '10.11.19', isChosen: true }],
      restoreDirectories: [home.restores],
      managedLocations: ['*'],
    }),
  });
  await catalog.create('Service', 'shop', {
    spec: serviceSpecSchema.parse({ agent: 'db1' }),
    status: serviceStatusSchema.parse({ state: 'Unknown' }),
  });
  await secrets.set('StorageLocation', 'main', { passphrase: labPassphrase });
  await catalog.create('StorageLocation', 'main', {
    spec: locationSpecSchema.parse({ place: { type: 'directory', path: managedPlace(home) }, isEncrypted: true }),
    status: locationStatusSchema.parse({ state: 'Unknown' }),
  });
}
