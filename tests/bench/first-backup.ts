import { join } from 'node:path';
import { contest, type Contender, type Standings } from './contest.ts';
import { measure, quote } from './measure.ts';
import {
  backUp,
  engineStream,
  extrasOf,
  firstBackup,
  intoFile,
  newBucketRepository,
  untilSynced,
  type Workbench,
  zstdLevel,
} from './workbench.ts';

const limit = 'engine to /dev/null';
const plainFile = 'engine to a file';
const pipe = 'engine | zstd -1';
const diskAlone = 'the disk alone: read and written';
const toDirectory = 'holdfast to a directory';
const toS3 = 'holdfast to S3';
const uncompressed = 'holdfast, uncompressed';

/** Decimal, as the figures are shown. */
export const memoryLimit = 250e6;

/** First backups of a lineage, beside what a shell can do. */
export async function measureFirstBackups(bench: Workbench): Promise<void> {
  const { options, folder, report, say } = bench;
  const contenders: Contender[] = [
    { name: limit, run: async () => ({ measured: await measure(`${engineStream(bench)} > /dev/null`) }) },
    intoFile(plainFile, () => engineStream(bench), join(folder, 'plain.xbs')),
    intoFile(pipe, () => `${engineStream(bench)} | zstd -q -${zstdLevel} -T0`, join(folder, 'pipe.xbs.zst')),
    { name: diskAlone, run: async () => ({ measured: await measure(readAndWrite(bench)) }) },
    firstBackup(bench, toDirectory),
    { name: toS3, run: async () => firstBackupToS3(bench) },
    firstBackup(bench, uncompressed, { level: 0 }),
  ];
  const standings = await contest(contenders, { rounds: options.rounds, onRun: say });
  const baselines: Record<string, string> = { [toDirectory]: pipe, [toS3]: pipe, [uncompressed]: plainFile };
  for (const standing of standings.all) {
    const baseline = baselines[standing.name];
    const ratio = baseline === undefined ? {} : { ratio: standings.ratio(standing.name, baseline) };
    report.row({ part: 'first backup', standing, ...ratio });
  }
  judge(bench, standings);
}

function judge({ report }: Workbench, standings: Standings): void {
  const first = standings.of(toDirectory);
  const ofFirst = (name: string): number => first.extras[name] ?? Number.NaN;
  const memory = Math.max(...standings.all.map(({ holdfastMemory }) => holdfastMemory));
  const judgeTime = (figure: string, names: readonly [string, string], limit: number): void => {
    report.judge({ figure, value: standings.ratio(...names), limit, unit: 'ratio' });
    const synced = standings.ratio(...names, untilSynced);
    report.judge({ figure: `${figure}, both on the disk`, value: synced, limit, unit: 'ratio' });
  };
  judgeTime('first backup / shell pipe, wall time', [toDirectory, pipe], 1.1);
  judgeTime('uncompressed backup / engine to a file', [uncompressed, plainFile], 1.15);
  report.judge({ figure: 'memory of first backups', value: memory, limit: memoryLimit, unit: 'bytes' });
  const index = ofFirst('index') / ofFirst('logical');
  report.judge({ figure: 'index of a first backup / logical size', value: index, limit: 0.003, unit: 'percent' });
}

/**
 * Reads the tablespaces past the system's cache, as the tool does, and writes as many bytes past it meanwhile: nothing that ends with
 * an uncompressed backup on the same disk can be quicker.
 */
function readAndWrite({ server, options, folder }: Workbench): string {
  const [data, file] = [server.database.dataDirectory, join(folder, 'written')].map(quote);
  const chunk = 4 << 20;
  const read = `find ${data} -name '*.ibd' -print0 | xargs -0 -P2 -I{} dd if={} of=/dev/null bs=1M iflag=direct status=none`;
  const written = `dd if=/dev/zero of=${file} bs=${chunk} count=${Math.ceil(options.size / chunk)} oflag=direct status=none`;
  return `(${read}) & ${written}; wait $!; rm ${file}`;
}

async function firstBackupToS3(bench: Workbench): ReturnType<Contender['run']> {
  await using repository = await newBucketRepository(bench);
  const measured = await backUp(bench, repository);
  return { measured, extras: extrasOf(await repository.newest()) };
}
