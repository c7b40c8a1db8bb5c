import { createInterface } from 'node:readline';
import { AgentClient } from '../../src/api/client.ts';
import { backupCreateSchema } from '../../src/api/backup-routes.ts';
import type { Resource, RunKind } from '../../src/api/resources.ts';
import { drillCreateSchema, restoreCreateSchema } from '../../src/api/restore-routes.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { openSqliteSecrets } from '../../src/catalog/sqlite-secrets.ts';
import { openSqliteCatalog } from '../../src/catalog/sqlite.ts';
import { type Control, startControl } from '../../src/control/control.ts';
import type { AgentCalls } from '../../src/control/launcher.ts';
import type { Stores } from '../../src/control/places.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { agedStores } from './aged-stores.ts';
import type { ChildOrder, ChildReply, ChildStart } from './manager-worker.ts';

/** Catalog and control loops in a process that kills itself at an instant of its choice: see manager-worker.ts. */

const start: ChildStart = JSON.parse(process.argv[2] ?? '{}');
let kills = start.kills;
const passed = new Map<string, number>();

/** Every effect on the world goes through here, so that the process can end right before or right after it. */
async function effect<T>(label: string, work: () => Promise<T>): Promise<T> {
  await perhapsDie(`before ${label}`);
  const result = await work();
  await perhapsDie(`after ${label}`);
  return result;
}

async function perhapsDie(point: string): Promise<void> {
  tell({ point });
  const times = (passed.get(point) ?? 0) + 1;
  passed.set(point, times);
  const kill = kills.find((each) => each.point === point && each.occurrence === times);
  if (kill === undefined) return;
  kills = [];
  if (kill.delayMs === 0) return die(point);
  setTimeout(() => void die(point), kill.delayMs);
}

async function die(point: string): Promise<void> {
  tell({ killedAt: point });
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
}

function tell(reply: ChildReply): void {
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

function watchedCatalog(catalog: Catalog): Catalog {
  const labelOf = ({ kind, status }: Resource): string => `${kind} ${status.state}`;
  return {
    create: async (kind, name, content) =>
      effect(`create ${kind} ${content.status.state}`, async () => catalog.create(kind, name, content)),
    get: async (kind, name) => catalog.get(kind, name),
    replace: async (resource) => effect(`write ${labelOf(resource)}`, async () => catalog.replace(resource)),
    remove: async (resource) => effect(`remove ${resource.kind}`, async () => catalog.remove(resource)),
    list: (kind) => catalog.list(kind),
    watch: (options) => catalog.watch(options),
    [Symbol.asyncDispose]: async () => catalog[Symbol.asyncDispose](),
  };
}

function watchedCalls(client: AgentClient): AgentCalls {
  return {
    start: async (kind, id, options) => effect(`start ${kind}`, async () => client.start(kind, id, options)),
    get: async (kind, id, options) => effect(`ask for ${kind}`, async () => client.get(kind, id, options)),
    cancel: async (kind, id, options) => effect(`cancel ${kind}`, async () => client.cancel(kind, id, options)),
    list: async (options) => client.list(options),
    log: (kind, id, options) => client.log(kind, id, options),
    preflight: async (options) => client.preflight(options),
    server: async (options) => client.server(options),
  };
}

const stores = agedStores(start.aheadMs);
const watchedStores: Stores = {
  probe: async (storage, options) => stores.probe(storage, options),
  open: async (place, options) => {
    const storage = await stores.open(place, options);
    const of = (key: string): string => key.split('/')[0] ?? '';
    const watched: Storage = {
      description: storage.description,
      put: async (key, bytes, given) => effect(`put ${of(key)}`, async () => storage.put(key, bytes, given)),
      get: async (key, given) => effect(`get ${of(key)}`, async () => storage.get(key, given)),
      list: (prefix, given) => storage.list(prefix, given),
      delete: async (keys, given) => effect(`delete ${of(keys[0] ?? '')}`, async () => storage.delete(keys, given)),
    };
    return Object.assign(watched, { [Symbol.asyncDispose]: async () => storage[Symbol.asyncDispose]() });
  },
};

async function answer(
  order: ChildOrder,
  { catalog, control }: { catalog: Catalog; control: Control },
): Promise<unknown> {
  const { name } = order;
  if (order.do === 'show') return (await catalog.get(order.kind, name)) ?? null;
  if (order.do === 'back-up')
    return control.createBackup(
      backupCreateSchema.parse({ name, service: 'shop', location: 'main', folder: 'shop', retry: { mode: 'manual' } }),
    );
  if (order.do === 'restore') {
    const { backup, directory } = order;
    const wish = { name, backup, agent: 'db1', target: { directory }, identity: 'keep', replication: 'stopped' };
    return control.createRestore(restoreCreateSchema.parse(wish));
  }
  if (order.do === 'drill') return control.createDrill(drillCreateSchema.parse({ name, backup: order.backup }));
  if (order.do === 'cancel') return control.cancel('Backup' satisfies RunKind, name);
  if (order.do === 'pin') return control.setPinned(name, true);
  if (order.do === 'unpin') return control.setPinned(name, false);
  return control.deleteBackup(name);
}

async function run(): Promise<void> {
  const { file, url, fingerprint, token, aheadMs } = start;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  const catalog = watchedCatalog(await openSqliteCatalog({ file, clock }));
  const secrets = await openSqliteSecrets({ file, clock });
  const calls = watchedCalls(new AgentClient({ url, token, trust: { fingerprint } }));
  const control = await startControl({
    catalog,
    secrets,
    launcher: { agent: () => calls },
    stores: watchedStores,
    clock,
    onTrouble: (message, error) => tell({ trouble: `${message}: ${String(error)}` }),
  });
  tell({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const order: ChildOrder = JSON.parse(line);
    void answer(order, { catalog, control }).then(
      (result) => tell({ order: order.id, result }),
      (error: unknown) => tell({ order: order.id, error: codeOf(error) }),
    );
  }
  process.exit(0);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

await run();
