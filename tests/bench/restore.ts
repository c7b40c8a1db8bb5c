import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { contest, type Contender } from './contest.ts';
import { memoryLimit } from './first-backup.ts';
import { measure, quote } from './measure.ts';
import {
  backUp,
  engineStream,
  newBucketRepository,
  newRepository,
  restore,
  secondsToSync,
  untilSynced,
  type Workbench,
  zstdLevel,
} from './workbench.ts';

const pipe = 'zstd -d | mbstream -x, prepare';
const fromDirectory = 'holdfast restore from a directory';
const fromS3 = 'holdfast restore from S3';

/** Restores to a prepared directory. */
export async function measureRestores(bench: Workbench): Promise<void> {
  const { options, folder, report, say, bin } = bench;
  const [stream, repository] = [join(folder, 'restore.xbs.zst'), join(folder, 'restore-repository')];
  say('restore: the backups to restore');
  await measure(`${engineStream(bench)} | zstd -q -${zstdLevel} -T0 > ${quote(stream)}`);
  await backUp(bench, { location: await newRepository(repository) });
  await using bucket = await newBucketRepository(bench);
  await backUp(bench, bucket);
  const target = join(folder, 'restored');
  const contenders: readonly Contender[] = [
    { name: pipe, run: async () => restoredByShell(shellRestore(bin, stream, target), target) },
    { name: fromDirectory, run: async () => restored(bench, repository, target) },
    { name: fromS3, run: async () => restored(bench, bucket.location, target) },
  ];
  const standings = await contest(contenders, { rounds: options.rounds, onRun: say });
  report.row({ part: 'restore', standing: standings.of(pipe) });
  for (const name of [fromDirectory, fromS3])
    report.row({ part: 'restore', standing: standings.of(name), ratio: standings.ratio(name, pipe) });
  const judged = { limit: 0.9, unit: 'ratio' } as const;
  const figure = 'restore / shell pipe, wall time';
  report.judge({ ...judged, figure, value: standings.ratio(fromDirectory, pipe) });
  const synced = standings.ratio(fromDirectory, pipe, untilSynced);
  report.judge({ ...judged, figure: `${figure}, both on the disk`, value: synced });
  const memory = Math.max(...standings.all.map(({ holdfastMemory }) => holdfastMemory));
  report.judge({ figure: 'memory of restores', value: memory, limit: memoryLimit, unit: 'bytes' });
}

function shellRestore(bin: string, stream: string, target: string): string {
  const [mbstream, prepare] = [join(bin, 'mbstream'), join(bin, 'mariadb-backup')].map(quote);
  return [
    `mkdir ${quote(target)}`,
    `zstd -q -d -c ${quote(stream)} | ${mbstream} -x -C ${quote(target)}`,
    `${prepare} --prepare --target-dir=${quote(target)} 2>/dev/null`,
  ].join(' && ');
}

/** Removing what was there before is not measured. */
async function restoredByShell(line: string, target: string): ReturnType<Contender['run']> {
  await rm(target, { recursive: true, force: true });
  const measured = await measure(line);
  const entries = await readdir(target, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return { measured, extras: { synced: measured.seconds + (await secondsToSync(files)) } };
}

async function restored(bench: Workbench, location: string, target: string): ReturnType<Contender['run']> {
  await rm(target, { recursive: true, force: true });
  return { measured: await restore(bench, location, target) };
}
