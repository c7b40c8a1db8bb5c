import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../scripts/setup/run.ts';
import { contest } from './contest.ts';
import { copyRows } from './data-set.ts';
import { memoryLimit } from './first-backup.ts';
import { measure, quote } from './measure.ts';
import { newestBackup } from './repository-facts.ts';
import { BenchServer } from './server.ts';
import { backUp, extrasOf, newRepository, restore, type Workbench } from './workbench.ts';

const stand = fileURLToPath(new URL('made-tables.ts', import.meta.url));
const serverBytes = 64 << 20;

/**
 * Memory and time of a first backup, a second one and a restore with very many small tables. A stand-in for the tool writes the
 * stream, as the real one must be allowed to hold a file open for each table. All of Holdfast is the real thing.
 */
export async function measureManyTables(bench: Omit<Workbench, 'server'>, port: number): Promise<void> {
  const { bin, folder, report, say, options } = bench;
  const { tables } = options;
  const dataDirectory = await copyRows({ bin, size: serverBytes, into: join(folder, 'tables') });
  await using server = await BenchServer.start({ bin, dataDirectory, size: serverBytes, port });
  await run('/bin/bash', [
    '-c',
    `cd ${quote(dataDirectory)}/app && seq -f 'many_%.0f.ibd' ${tables} | xargs truncate -s 64K`,
  ]);
  const whole: Workbench = { ...bench, server, bin: await makeStandIn(bench, server) };
  const location = await newRepository(join(folder, 'tables-repository'));
  const backup = async () => {
    const measured = await backUp(whole, { location });
    return { measured, extras: extrasOf(await newestBackup(location)) };
  };
  const target = join(folder, 'tables-restored');
  const standings = await contest(
    [
      { name: `first backup of ${tables} tables`, run: backup },
      { name: `second backup of ${tables} tables`, run: backup },
      { name: `restore of ${tables} tables`, run: async () => ({ measured: await restore(whole, location, target) }) },
    ],
    { rounds: 1, tries: 1, onRun: say },
  );
  await measure(`rm -r ${quote(target)} ${quote(location)}`);
  for (const standing of standings.all) {
    report.row({ part: 'tables', standing });
    const { name, holdfastMemory: value } = standing;
    report.judge({ figure: `memory, ${name}`, value, limit: memoryLimit, unit: 'bytes' });
  }
}

/** @returns a folder for the PATH. */
async function makeStandIn({ folder, options }: Omit<Workbench, 'server'>, { database }: BenchServer): Promise<string> {
  const [[version = ''] = []] = await database.query('SELECT @@version');
  const bin = join(folder, 'stand-in');
  await mkdir(bin);
  const words = [process.execPath, stand, String(options.tables), version].map(quote).join(' ');
  const program = join(bin, 'mariadb-backup');
  await writeFile(program, `#!/bin/sh\nexec ${words} "$@"\n`);
  await chmod(program, 0o755);
  return bin;
}
