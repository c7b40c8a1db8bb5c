import { rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { contest, type Contender } from './contest.ts';
import { memoryLimit } from './first-backup.ts';
import { measure, type Measured, quote } from './measure.ts';
import { backUp, engineStream, newRepository, restore, type Workbench, zstdLevel } from './workbench.ts';

const pipe = 'zstd -d | mbstream -x, prepare, sync';
const holdfast = 'holdfast restore';

/** Restores to a prepared directory, all of it synced to disk. */
export async function measureRestores(bench: Workbench): Promise<void> {
  const { options, folder, report, say, bin } = bench;
  const [stream, repository] = [join(folder, 'restore.xbs.zst'), join(folder, 'restore-repository')];
  if (!existsSync(stream)) {
    say('restore: the backups to restore');
    await measure(`${engineStream(bench)} | zstd -q -${zstdLevel} -T0 > ${quote(stream)}`);
    await backUp(bench, { location: await newRepository(repository) });
  }
  const target = join(folder, 'restored');
  const contenders: Contender[] = [
    { name: pipe, run: async () => restored(target, () => measure(shellRestore(bin, stream, target))) },
    { name: holdfast, run: async () => restored(target, () => restore(bench, repository, target)) },
  ];
  const standings = await contest(contenders, { rounds: options.rounds, onRun: say });
  const ratio = standings.ratio(holdfast, pipe);
  report.row({ part: 'restore', standing: standings.of(pipe) });
  report.row({ part: 'restore', standing: standings.of(holdfast), ratio });
  report.judge({ figure: 'restore / shell pipe, wall time', value: ratio, limit: 0.9, unit: 'ratio' });
  const memory = standings.of(holdfast).holdfastMemory;
  report.judge({ figure: 'memory of restores', value: memory, limit: memoryLimit, unit: 'bytes' });
}

function shellRestore(bin: string, stream: string, target: string): string {
  const [mbstream, prepare] = [join(bin, 'mbstream'), join(bin, 'mariadb-backup')].map(quote);
  return [
    `mkdir ${quote(target)}`,
    `zstd -q -d -c ${quote(stream)} | ${mbstream} -x -C ${quote(target)}`,
    `${prepare} --prepare --target-dir=${quote(target)} 2>/dev/null`,
    `find ${quote(target)} -type f -exec sync {} +`,
  ].join(' && ');
}

/** Removing what was there before is not measured. */
async function restored(target: string, work: () => Promise<Measured>): ReturnType<Contender['run']> {
  await rm(target, { recursive: true, force: true });
  return { measured: await work() };
}
