import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../scripts/setup/run.ts';
import type { MariadbServer } from '../support/servers.ts';
import { loadRows, rowsPerTable, rowTables } from './data-set.ts';
import { contest } from './contest.ts';
import { memoryLimit } from './first-backup.ts';
import { measure } from './measure.ts';
import { changedPages, pagesOf } from './pages.ts';
import { newestBackup } from './repository-facts.ts';
import {
  backUp,
  engineStream,
  extrasOf,
  firstBackup,
  intoFile,
  newRepository,
  type Workbench,
  zstdLevel,
} from './workbench.ts';

const first = 'holdfast, first backup';
const second = 'holdfast, second backup';
const incremental = 'engine incremental | zstd -1';

/** One percent of the rows, next to each other, rewritten, and one percent appended. */
export async function measureRecent(bench: Workbench): Promise<void> {
  const rows = rowsPerTable(bench.options.size);
  const share = Math.ceil(rows / 100);
  await measureSecondBackup(bench, 'recent', async (database) => {
    for (const table of rowTables) {
      await loadRows(database, table, { firstId: Math.floor(rows * 0.6), rows: share });
      await loadRows(database, table, { firstId: rows + 1, rows: share });
    }
  });
}

/** Rows updated at random until about one percent of the pages have changed. */
export async function measureScattered(bench: Workbench): Promise<void> {
  await measureSecondBackup(bench, 'scattered', async (database) => updateAtRandom(database, 0.0112));
}

/** Updates a row on about this share of the pages of each table. */
export async function updateAtRandom(database: MariadbServer, share: number): Promise<void> {
  for (const table of rowTables) {
    const [[pages, rows] = []] = await database.query(
      `SELECT data_length DIV @@innodb_page_size, (SELECT MAX(id) FROM app.${table})
       FROM information_schema.tables WHERE table_schema='app' AND table_name='${table}'`,
    );
    const updates = Math.ceil(Number(pages) * share);
    await database.query(
      `USE app; CREATE TEMPORARY TABLE picked (id BIGINT PRIMARY KEY) ENGINE=InnoDB;
       INSERT IGNORE INTO picked SELECT 1 + FLOOR(RAND() * ${rows}) FROM seq_1_to_${updates};
       UPDATE ${table} JOIN picked USING (id) SET token = MD5(RAND())`,
    );
  }
}

async function measureSecondBackup(
  bench: Workbench,
  profile: 'recent' | 'scattered',
  change: (database: MariadbServer) => Promise<void>,
): Promise<void> {
  const { options, folder, report, say, server } = bench;
  say(`${profile}: the backups before the change`);
  const base = await newRepository(join(folder, 'base'));
  await backUp(bench, { location: base });
  const lsn = join(folder, 'lsn');
  await mkdir(lsn, { recursive: true });
  await measure(`${engineStream(bench, [`--extra-lsndir=${lsn}`])} > /dev/null`);
  const before = await pagesOf(server.database.dataDirectory);
  await server.change(change);
  const changed = changedPages(before, await pagesOf(server.database.dataDirectory));
  say(`${profile}: ${(changed.share * 100).toFixed(2)} % of ${changed.total} pages are new or changed`);
  const delta = (): string => `${engineStream(bench, [`--incremental-basedir=${lsn}`])} | zstd -q -${zstdLevel} -T0`;
  const standings = await contest(
    [
      firstBackup(bench, first),
      { name: second, run: async () => secondBackup(bench, base) },
      intoFile(incremental, delta, join(folder, 'incremental.xbs.zst')),
    ],
    { rounds: options.rounds, onRun: say },
  );
  report.fact(`${profile}ChangedPages`, changed);
  const ratios: Record<string, number> = { [second]: standings.ratio(second, first) };
  for (const standing of standings.all) {
    const ratio = ratios[standing.name];
    report.row({ part: profile, standing, ...(ratio === undefined ? {} : { ratio }) });
  }
  const extra = (name: string) => (round: { extras: Readonly<Record<string, number>> }) =>
    round.extras[name] ?? Number.NaN;
  const name = `second backup, ${profile}`;
  const memory = standings.of(second).holdfastMemory;
  report.judge({ figure: `${name}: memory`, value: memory, limit: memoryLimit, unit: 'bytes' });
  if (profile === 'scattered') {
    const value = standings.ratio(second, incremental, extra('stored'));
    report.judge({ figure: `${name}: stored / engine's incremental`, value, limit: 2, unit: 'ratio' });
    return;
  }
  const stored = standings.ratio(second, first, extra('stored'));
  report.judge({ figure: `${name}: stored / first backup's`, value: stored, limit: 0.05, unit: 'percent' });
  const time = standings.ratio(second, first);
  report.judge({ figure: `${name}: wall time / first backup's`, value: time, limit: 0.6, unit: 'percent' });
  const { extras } = standings.of(second);
  const index = (extras['index'] ?? Number.NaN) / (extras['logical'] ?? Number.NaN);
  report.judge({ figure: `${name}: new index bytes / logical size`, value: index, limit: 0.0002, unit: 'percent' });
}

/** Objects are never changed, so a copy of a repository can share them. */
async function secondBackup(bench: Workbench, base: string) {
  const location = join(bench.folder, 'second');
  await rm(location, { recursive: true, force: true });
  await run('cp', ['-al', base, location]);
  const measured = await backUp(bench, { location });
  return { measured, extras: extrasOf(await newestBackup(location)) };
}
