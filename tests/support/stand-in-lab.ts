import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { backupCreateSchema } from '../../src/api/backup-routes.ts';
import {
  agentSpecSchema,
  agentStatusSchema,
  locationSpecSchema,
  locationStatusSchema,
  serviceSpecSchema,
  serviceStatusSchema,
} from '../../src/api/inventory.ts';
import type { Resource } from '../../src/api/resources.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { openSqliteCatalog } from '../../src/catalog/sqlite.ts';
import { type Control, startControl } from '../../src/control/control.ts';
import { Failure } from '../../src/lib/failure.ts';
import { initRepository, type Repository } from '../../src/repository/repository.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { FakeClock } from './fake-clock.ts';
import { randomSource, someBytes } from './pieces.ts';
import { backUp, neverAborted as signal } from './repositories.ts';
import { StandInAgent } from './stand-in-agent.ts';

const storeDown = new Failure('storage-failed', 'Cannot reach the store');

/** Catalog and control loops in a time of their own, with an agent that says what a test wants and a store in memory. */
export class StandInLab implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly agent = new StandInAgent();
  readonly storage = new MemoryStorage({ clock: this.clock });
  isStoreDown = false;
  readonly #folder: string;
  #repository: Repository | undefined;
  #parts: { readonly catalog: Catalog; readonly control: Control } | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<StandInLab> {
    const lab = new StandInLab(await mkdtemp(join(tmpdir(), 'hf-control-')));
    const { clock, storage } = lab;
    const options = { clock, signal, conditionalPut: true, unlock: undefined, label: 'test' };
    lab.#repository = await initRepository(storage, options);
    await lab.#open();
    await fill(lab.catalog);
    return lab;
  }

  get catalog(): Catalog {
    return there(this.#parts).catalog;
  }

  get control(): Control {
    return there(this.#parts).control;
  }

  get repository(): Repository {
    return there(this.#repository);
  }

  async restart(): Promise<void> {
    await this.#close();
    await this.#open();
  }

  async backup(name = 'b', retry: object = { mode: 'manual' }): Promise<Resource<'Backup'>> {
    return this.control.createBackup(backupCreateSchema.parse({ name, service: 'shop', location: 'main', retry }));
  }

  /** @returns the id of a backup that the agent has begun */
  async running(name = 'b', retry?: object): Promise<string> {
    const { status } = await this.backup(name, retry);
    await this.pass(1_000);
    expect((await this.show(name)).state).toBe('Running');
    return status.id;
  }

  /** @returns the id of a backup that succeeded */
  async succeeded(name = 'b'): Promise<string> {
    const id = await this.running(name);
    await this.seal(id);
    this.agent.becomes(id, 'Succeeded');
    await this.pass(1_000);
    expect((await this.show(name)).state).toBe('Succeeded');
    return id;
  }

  async show(name = 'b'): Promise<Resource<'Backup'>['status']> {
    return there(await this.catalog.get('Backup', name)).status;
  }

  /** As its agent would. */
  async seal(id: string): Promise<void> {
    const files = new Map([['t.ibd', someBytes(randomSource(3), 50_000)]]);
    await backUp(this.repository, { files, random: randomSource(4), backup: id });
  }

  async keysBelow(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.storage.list(prefix)) keys.push(key);
    return keys;
  }

  /** Time passes, in steps, so that what answers without a timer does so in between. */
  async pass(ms: number): Promise<void> {
    const step = Math.max(250, ms / 40);
    for (let passed = 0; passed < ms; passed += step) await this.clock.pass(step);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await rm(this.#folder, { recursive: true });
  }

  async #open(): Promise<void> {
    const { clock, agent, storage } = this;
    const catalog = await openSqliteCatalog({ file: join(this.#folder, 'manager.db'), clock });
    const control = await startControl({
      catalog,
      clock,
      secrets: {
        get: async () => ({}),
        set: async () => undefined,
        names: async () => [],
        remove: async () => undefined,
      },
      launcher: { agent: () => agent },
      stores: {
        open: async () => {
          if (this.isStoreDown) throw storeDown;
          return {
            description: storage.description,
            put: storage.put.bind(storage),
            get: storage.get.bind(storage),
            list: storage.list.bind(storage),
            delete: storage.delete.bind(storage),
            [Symbol.asyncDispose]: async () => undefined,
          };
        },
        probe: async () => ({ conditionalPut: true, findings: [] }),
      },
      onTrouble: () => undefined,
    });
    this.#parts = { catalog, control };
  }

  async #close(): Promise<void> {
    await this.control[Symbol.asyncDispose]();
    await this.catalog[Symbol.asyncDispose]();
  }
}

async function fill(catalog: Catalog): Promise<void> {
  const spec = agentSpecSchema.parse({ connection: { type: 'dials' } });
  const server = { isUp: true, vendor: 'MariaDB', version: '10.11.19' };
  await catalog.create('Agent', 'db1', { spec, status: agentStatusSchema.parse({ state: 'Connected', server }) });
  await catalog.create('Service', 'shop', {
    spec: serviceSpecSchema.parse({ agent: 'db1' }),
    status: serviceStatusSchema.parse({ state: 'Online', vendor: 'MariaDB' }),
  });
  await catalog.create('StorageLocation', 'main', {
    spec: locationSpecSchema.parse({ place: { type: 'directory', path: '/srv/main' }, isEncrypted: false }),
    status: locationStatusSchema.parse({ state: 'Working' }),
  });
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is not there');
  return value;
}
