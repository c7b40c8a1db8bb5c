import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { ensureMariadb } from '../../scripts/setup/mariadb.ts';
import { installSystemPackages, run, say } from '../../scripts/setup/run.ts';
import { ensureVersitygw } from '../../scripts/setup/versitygw.ts';
import { freePort } from '../support/child.ts';
import { startVersitygw } from '../support/servers.ts';
import { copyRows } from './data-set.ts';
import { measureFirstBackups } from './first-backup.ts';
import { measureManyTables } from './many-tables.ts';
import { measureNinety } from './ninety.ts';
import { type BenchOptions, type Part, readOptions, usage } from './options.ts';
import { Report } from './report.ts';
import { measureRestores } from './restore.ts';
import { measureRecent, measureScattered } from './second-backup.ts';
import { BenchServer } from './server.ts';
import { measureSynthetic } from './synthetic.ts';
import { buildProgram, type Workbench } from './workbench.ts';

const options = readOptions(process.argv.slice(2));
if (options.help) process.stdout.write(usage);
else process.exitCode = await bench(options);

async function bench(options: BenchOptions): Promise<number> {
  await installSystemPackages(['zstd']);
  const { bin, version } = await ensureMariadb();
  await ensureVersitygw();
  await buildProgram();
  const report = new Report({ machine: await machine(version), size: options.size, rounds: options.rounds });
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  // The server's user must get to its data directory below.
  await chmod(folder, 0o755);
  try {
    await measureParts(options, { report, bin, folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
    // What was measured before something failed, such as a full disk, may have taken an hour.
    await report.write(options.result);
    process.stdout.write(`\n${report.text()}\n`);
  }
  return report.passed ? 0 : 1;
}

async function measureParts(
  options: BenchOptions,
  { report, bin, folder }: Pick<Workbench, 'report' | 'bin' | 'folder'>,
): Promise<void> {
  const { size, parts } = options;
  const work: readonly (readonly [Part, (bench: Workbench) => Promise<void>])[] = [
    ['first', measureFirstBackups],
    ['restore', measureRestores],
    ['recent', measureRecent],
    ['scattered', measureScattered],
  ];
  const port = await freePort();
  await using s3 = await startVersitygw();
  const bench = { options, report, bin, folder, s3, say };
  const chosen = work.filter(([part]) => parts.has(part));
  if (chosen.length > 0) {
    const dataDirectory = await copyRows({ bin, size, into: join(folder, 'data') });
    await using server = await BenchServer.start({ bin, dataDirectory, size, port });
    for (const [name, measurePart] of chosen) {
      const own = join(folder, name);
      await mkdir(own);
      await measurePart({ ...bench, folder: own, server });
      // What one part stored would take the next one's room.
      await rm(own, { recursive: true });
    }
  }
  if (parts.has('tables')) await measureManyTables(bench, port);
  if (parts.has('ninety')) await measureNinety(bench, port);
  if (parts.has('synthetic')) await measureSynthetic(bench);
}

async function machine(mariadb: string): Promise<Record<string, unknown>> {
  const zstd = /v[\d.]+/.exec(await run('zstd', ['--version']))?.[0];
  const processor = cpus()[0]?.model.trim();
  const memory = totalmem();
  return { processor, cores: cpus().length, memory, kernel: release(), node: process.version, mariadb, zstd };
}
