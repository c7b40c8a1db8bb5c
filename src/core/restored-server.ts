import { copyFile, constants, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Finding } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import { CorruptData } from '../lib/failure.ts';
import { isMissing, readSmallFile, statIfThere, systemFiles } from './placement-files.ts';
import type { ServerVersion } from './version-rules.ts';

/** What a server on restored data is and does when it starts. What is undefined stays as the backup has it. */
export interface RestoredServer {
  /** `new`: a server identity of its own, as a copy needs. `keep`: in place, that of the server that was there. */
  readonly identity?: 'new' | 'keep' | undefined;
  /** `stopped`: it does not begin to replicate by itself; what it knows of its source stays. */
  readonly replication?: 'stopped' | 'start' | undefined;
}

export interface SettleOptions {
  /** That will open the files. */
  readonly server: ServerVersion;
  /** The data directory that is replaced, if one is. */
  readonly replaced: string | undefined;
  readonly clock: Pick<Clock, 'now'>;
}

/** MySQL keeps its server_uuid in it, and makes a new one where it is missing. MariaDB has none. */
const identityFile = 'auto.cnf';
/** MySQL's own settings, which count over those of every option file. */
const persistedFile = 'mysqld-auto.cnf';
const maximumPersistedBytes = 4 * 1024 * 1024;
/** With these a server of MariaDB, and of MySQL of old, begins to replicate when it starts. */
const replicationFile = /^(master|relay-log|multi-master)(-[^/]*)?\.info$/;

/** Before the data moves in: makes the prepared directory one whose server does what is wished. */
export async function settleServer(prepared: string, wish: RestoredServer, options: SettleOptions): Promise<void> {
  if (wish.identity === 'new') await rm(join(prepared, identityFile), { force: true });
  if (wish.identity === 'keep' && options.replaced !== undefined) await takeOver(options.replaced, prepared);
  if (wish.replication === 'stopped') await stopReplication(prepared, options);
}

/** Can replication be kept from starting on this server? Pure. */
export function judgeReplication({ vendor, version }: ServerVersion, wish: RestoredServer): Finding | undefined {
  if (wish.replication !== 'stopped') return undefined;
  if (vendor === 'MariaDB' || persistedNames(version) !== undefined) {
    return {
      level: 'ok',
      code: 'replication-stopped',
      message: 'The restored server does not begin to replicate by itself.',
    };
  }
  return {
    level: 'error',
    code: 'replication-not-stoppable',
    message: `${vendor} ${version} cannot be told in its data directory not to replicate: that came with MySQL 8.0.24.`,
    nextStep: 'Put skip-slave-start into its option file, and ask for a restore that lets it start.',
  };
}

async function takeOver(from: string, to: string): Promise<void> {
  try {
    await copyFile(join(from, identityFile), join(to, identityFile), constants.COPYFILE_EXCL);
  } catch (error) {
    const isThereAlready = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (!isMissing(error) && !isThereAlready) throw error;
  }
}

async function stopReplication(prepared: string, { server, clock }: SettleOptions): Promise<void> {
  const names = (await readdir(prepared)).filter((name) => replicationFile.test(name));
  // No backup tool copies them; whatever put them there, the server must not find them.
  for (const name of names) await rename(join(prepared, name), join(prepared, `${name}.holdfast-stopped`));
  const settings = server.vendor === 'MariaDB' ? undefined : persistedNames(server.version);
  if (settings === undefined) return;
  const path = join(prepared, persistedFile);
  const before = await readSmallFile(path, maximumPersistedBytes);
  if (before === undefined && (await statIfThere(path)) !== undefined) throw damaged(path);
  await systemFiles.writeDurably(
    path,
    withStopped(before, { path, settings, version: server.version, now: clock.now() }),
  );
}

/** The settings that keep replication stopped, by release; undefined where there is none that the data directory can hold. */
function persistedNames(version: string): Readonly<Record<string, string>> | undefined {
  const release = releaseOf(version);
  if (release < 80_024) return undefined;
  const skip = release < 80_026 ? 'skip_slave_start' : 'skip_replica_start';
  // A setting of a plugin that is not there is passed over.
  return { [skip]: 'ON', group_replication_start_on_boot: 'OFF' };
}

/** `8.0.24` ↦ 80024; 0 for what is no version. */
function releaseOf(version: string): number {
  const [, major = '0', minor = '0', patch = '0'] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) * 10_000 + Number(minor) * 100 + Number(patch);
}

const group = z.record(z.string(), z.unknown());
const persistedSchema = z.union([
  z.looseObject({
    Version: z.literal(1),
    mysql_server: z.looseObject({ mysql_server_static_options: group.optional() }),
  }),
  z.looseObject({ Version: z.literal(2), mysql_static_variables: group.optional() }),
]);

interface Stopping {
  readonly path: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The text of `mysqld-auto.cnf` with these settings besides those that it has. */
export function withStopped(before: string | undefined, { path, settings, version, now }: Stopping): string {
  const empty = releaseOf(version) < 80_029 ? { Version: 1, mysql_server: {} } : { Version: 2 };
  const parsed = persistedSchema.safeParse(before === undefined ? empty : parseJson(before));
  if (!parsed.success) throw damaged(path);
  const metadata = { Timestamp: now * 1_000, User: 'holdfast', Host: 'localhost' };
  const added = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, { Value: value, Metadata: metadata }]),
  );
  const file = parsed.data;
  if (file.Version === 2) {
    return JSON.stringify({ ...file, mysql_static_variables: { ...file.mysql_static_variables, ...added } });
  }
  const { mysql_server: server } = file;
  const options = { ...server.mysql_server_static_options, ...added };
  return JSON.stringify({ ...file, mysql_server: { ...server, mysql_server_static_options: options } });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function damaged(path: string): CorruptData {
  return new CorruptData(
    'persisted-settings-unknown',
    `Cannot keep the restored server from replicating as its own settings cannot be read: ${path}`,
    { nextStep: 'Ask for a restore that lets it start, and start the server with skip-replica-start.' },
  );
}
