import { randomBytes } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../scripts/setup/run.ts';
import type { VersitygwServer } from '../support/servers.ts';
import type { Contender, Extras, Standing } from './contest.ts';
import { measure, type Measured, quote } from './measure.ts';
import type { BenchOptions } from './options.ts';
import type { Report } from './report.ts';
import { type BackupFacts, makeRepository, newestBackup } from './repository-facts.ts';
import type { BenchServer } from './server.ts';

/** What every part works with. */
export interface Workbench {
  readonly options: BenchOptions;
  readonly report: Report;
  /** Folder of MariaDB's programs. */
  readonly bin: string;
  /** Ours alone, gone at the end. */
  readonly folder: string;
  readonly server: BenchServer;
  readonly s3: VersitygwServer;
  readonly say: (line: string) => void;
}

export const zstdLevel = 1;
const project = fileURLToPath(new URL('../..', import.meta.url));

/** Makes the program that users install: it starts sooner than its sources do. */
export async function buildProgram(): Promise<void> {
  await run(process.execPath, ['scripts/build.ts'], { cwd: project });
}

/** The shell line of a command of Holdfast in its own process. */
function holdfast({ folder }: Workbench, words: readonly string[]): string {
  const all = [
    process.execPath,
    join(project, 'dist/cli.js'),
    ...words,
    '--quiet',
    '--state-dir',
    join(folder, 'state'),
  ];
  return all.map(quote).join(' ');
}

/** Its tools are found on the PATH. */
function environment({ bin, s3 }: Workbench): NodeJS.ProcessEnv {
  const path = `${bin}:${process.env['PATH']}`;
  return { ...process.env, PATH: path, AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey };
}

/** A shell command that writes the engine's stream of the whole server to stdout. */
export function engineStream({ bin, server }: Workbench, more: readonly string[] = []): string {
  const words = ['--no-defaults', '--backup', '--stream=xbstream', '--target-dir=/nonexistent', '--user=root'];
  const all = [join(bin, 'mariadb-backup'), ...words, `--socket=${server.database.socket}`, ...more];
  return `${all.map(quote).join(' ')} 2>/dev/null`;
}

export async function backUp(
  bench: Workbench,
  { location, level = zstdLevel }: { readonly location: string; readonly level?: number },
): Promise<Measured> {
  const server = ['--socket', bench.server.database.socket, '--user', 'root'];
  const words = ['backup', '--repository', location, '--compression', String(level), ...server];
  return measure(holdfast(bench, words), { env: environment(bench) });
}

/** Restores the newest backup into a new directory, prepared and synced. */
export async function restore(bench: Workbench, location: string, directory: string): Promise<Measured> {
  const words = ['restore', 'latest', '--repository', location, '--to', directory, '--yes'];
  return measure(holdfast(bench, words), { env: environment(bench) });
}

/** An empty repository in a directory, instead of what is there. */
export async function newRepository(directory: string): Promise<string> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  await makeRepository(directory);
  return directory;
}

/** A repository in a bucket of its own, on the S3 server of this machine. */
export interface BucketRepository extends AsyncDisposable {
  readonly location: string;
  newest(): Promise<BackupFacts>;
}

export async function newBucketRepository({ s3 }: Workbench): Promise<BucketRepository> {
  const bucket = `bench-${randomBytes(6).toString('hex')}`;
  await s3.createBucket(bucket);
  const query = new URLSearchParams({ region: s3.region, endpoint: s3.endpoint, addressing: 'path' });
  const location = `s3://${bucket}/repository?${query.toString()}`;
  const secrets = { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey };
  await makeRepository(location, secrets);
  return {
    location,
    newest: async () => newestBackup(location, secrets),
    [Symbol.asyncDispose]: async () => rm(join(s3.dir, bucket), { recursive: true }),
  };
}

/** A first backup into a repository of its own. */
export function firstBackup(bench: Workbench, name: string, options: { readonly level?: number } = {}): Contender {
  return {
    name,
    run: async () => {
      const location = await newRepository(join(bench.folder, name.replaceAll(/\W+/g, '-')));
      const measured = await backUp(bench, { location, ...options });
      return { measured, extras: extrasOf(await newestBackup(location)) };
    },
  };
}

export function extrasOf(facts: BackupFacts): Extras {
  return { stored: facts.storedBytes, index: facts.indexBytes, logical: facts.logicalBytes, files: facts.files };
}

/**
 * A shell line whose result is a file: nothing is there when it starts. `synced` is its time and what it then takes until the file is
 * on the disk, seconds.
 */
export function intoFile(name: string, line: () => string, file: string): Contender {
  return {
    name,
    run: async () => {
      await rm(file, { force: true });
      const measured = await measure(`${line()} > ${quote(file)}`);
      const synced = measured.seconds + (await secondsToSync([file]));
      return { measured, extras: { stored: (await stat(file)).size, synced } };
    },
  };
}

/** How long it takes until these files are on the disk. */
export async function secondsToSync(files: readonly string[]): Promise<number> {
  const start = performance.now();
  await run('sync', files);
  return (performance.now() - start) / 1000;
}

/** What Holdfast makes is on the disk when it ends; what a shell wrote is when it was synced. */
export function untilSynced({ seconds, extras }: Standing['rounds'][number]): number {
  return extras['synced'] ?? seconds;
}
