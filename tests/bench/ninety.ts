import type { Stats } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseEngine } from '../../src/engine/choose-engine.ts';
import { findEngines } from '../../src/engine/find-engines.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { readServerFacts } from '../../src/engine/server-facts.ts';
import { takeBackup } from '../../src/core/take-backup.ts';
import { type Clock, dateOf, systemClock } from '../../src/lib/clock.ts';
import type { Sealed } from '../../src/repository/documents.ts';
import { newBackupId } from '../../src/repository/names.ts';
import { prune } from '../../src/repository/prune.ts';
import { openRepository, type Repository } from '../../src/repository/repository.ts';
import { restoreFiles } from '../../src/repository/restore-files.ts';
import { markDeleted } from '../../src/repository/settle.ts';
import { parseLocation } from '../../src/storage/location.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { copyRows } from './data-set.ts';
import { median } from './measure.ts';
import { updateAtRandom } from './second-backup.ts';
import { BenchServer } from './server.ts';
import { newRepository, type Workbench, zstdLevel } from './workbench.ts';

const dayMs = 24 * 3600_000;
const kept = 7;
const size = 64 << 20;
const changedShare = 0.0112;
const { signal } = new AbortController();

/** A backup a day of a small server, scattered updates between them, the newest seven kept. */
export async function measureNinety(bench: Omit<Workbench, 'server'>, port: number): Promise<void> {
  const { bin, folder, say, options } = bench;
  const dataDirectory = await copyRows({ bin, size, into: join(folder, 'small') });
  await using server = await BenchServer.start({ bin, dataDirectory, size, port });
  const location = await newRepository(join(folder, 'ninety-repository'));
  await using storage = await openStorage(parseLocation(location));
  const calendar = { day: 0 };
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + calendar.day * dayMs };
  const repository = await openRepository(dated(storage, calendar), { clock, signal, unlock: undefined });
  const engine = await engineOf(bench, server);
  const backups: Sealed[] = [];
  const stored: number[] = [];
  let firstRestore = Number.NaN;
  for (; calendar.day < options.days; calendar.day += 1) {
    if (calendar.day > 0) await server.change(async (database) => updateAtRandom(database, changedShare));
    backups.push(await backUpToday(repository, engine, server));
    await removeOld(repository, backups);
    stored.push(await directoryBytes(location));
    if (calendar.day === 0) firstRestore = await restoreSeconds(repository, backups[0], folder);
    if (calendar.day % 10 === 0) say(`day ${calendar.day + 1}: ${Math.round((stored.at(-1) ?? 0) / 1e6)} MB stored`);
  }
  await judgeNinety(bench, { repository, backups, stored, firstRestore });
}

interface Ninety {
  readonly repository: Repository;
  readonly backups: readonly Sealed[];
  readonly stored: readonly number[];
  /** Seconds. */
  readonly firstRestore: number;
}

async function judgeNinety({ report, options, folder }: Omit<Workbench, 'server'>, ninety: Ninety): Promise<void> {
  const { repository, backups, stored, firstRestore } = ninety;
  const lastRestore = await restoreSeconds(repository, backups.at(-1), folder);
  report.fact('ninety', { stored, firstRestore, lastRestore });
  const figure = `${options.days} backups, ${kept} kept`;
  const growth = (stored.at(-1) ?? Number.NaN) / (stored[0] ?? Number.NaN);
  report.judge({ figure: `${figure}: stored / first backup's`, value: growth, limit: 2, unit: 'ratio' });
  const value = lastRestore / firstRestore;
  report.judge({ figure: `${figure}: restore time of the last / the first`, value, limit: 1.5, unit: 'ratio' });
}

async function removeOld(repository: Repository, backups: readonly Sealed[]): Promise<void> {
  const old = backups.at(-1 - kept);
  if (old) await markDeleted(repository, old.backup, { reason: 'seven are kept', signal });
  await prune(repository, { signal, isDryRun: false });
}

/** A store whose objects are as old as the calendar says: a directory's own time stamps cannot be set. */
function dated(storage: Storage, calendar: { readonly day: number }): Storage {
  const days = new Map<string, number>();
  return {
    description: storage.description,
    put: async (key, bytes, options) => {
      const put = await storage.put(key, bytes, options);
      if (put === 'stored') days.set(key, calendar.day);
      return put;
    },
    get: async (key, options) => storage.get(key, options),
    list: async function* list(prefix, options) {
      for await (const object of storage.list(prefix, options)) {
        yield { ...object, modified: dateOf(object.modified.getTime() + (days.get(object.key) ?? 0) * dayMs) };
      }
    },
    delete: async (keys, options) => storage.delete(keys, options),
  };
}

async function engineOf({ bin }: Pick<Workbench, 'bin'>, { database }: BenchServer): Promise<Engine> {
  const { engines } = await findEngines({ path: `${bin}:/usr/bin:/bin`, signal });
  const facts = await readServerFacts({ socket: database.socket, user: 'root' }, { signal });
  const { engine } = chooseEngine(facts, engines);
  if (!engine) throw new Error(`Cannot back up as no engine fits ${facts.version}`);
  return engine;
}

async function backUpToday(repository: Repository, engine: Engine, { database }: BenchServer): Promise<Sealed> {
  const server = { socket: database.socket, user: 'root' };
  const request = {
    backup: newBackupId(repository.clock.now()),
    name: 'daily',
    service: 'small',
    lineage: 'small',
    writer: 'bench',
    level: zstdLevel,
    server,
    serverFacts: await readServerFacts(server, { signal }),
    configuration: [],
  };
  const quiet = { onProgress: () => undefined, onLog: () => undefined };
  return takeBackup(request, { repository, engine, clock: repository.clock, program: 'bench', signal, ...quiet });
}

/** Median of five restores of the files, without preparing them. */
async function restoreSeconds(repository: Repository, sealed: Sealed | undefined, folder: string): Promise<number> {
  if (!sealed) return Number.NaN;
  const times: number[] = [];
  for (let run = 0; run < 5; run += 1) {
    const directory = join(folder, 'ninety-restored');
    const start = performance.now();
    await restoreFiles(repository, sealed, { directory, signal });
    times.push((performance.now() - start) / 1000);
    await rm(directory, { recursive: true });
  }
  return median(times);
}

/** The store's time is that of its files. */
async function directoryBytes(directory: string): Promise<number> {
  return (await filesBelow(directory)).reduce((sum, { stats }) => sum + stats.size, 0);
}

async function filesBelow(directory: string): Promise<{ readonly path: string; readonly stats: Stats }[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(paths.map(async (path) => ({ path, stats: await stat(path) })));
}
