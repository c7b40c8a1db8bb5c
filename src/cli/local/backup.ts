import { hostname } from 'node:os';
import * as z from 'zod';
import { configurationLines } from '../../core/configuration-lines.ts';
import { Lineages } from '../../core/lineage.ts';
import { serverArguments } from '../../core/server-using.ts';
import { type BackupProgress, takeBackup, type TakeBackupRequest } from '../../core/take-backup.ts';
import type { ServerFacts } from '../../engine/engine.ts';
import { collectOptionFiles, optionFilesNamed } from '../../engine/option-files.ts';
import { readServerFacts } from '../../engine/server-facts.ts';
import { isoTime } from '../../lib/clock.ts';
import { Conflict } from '../../lib/failure.ts';
import { newBackupId, parseBackupId } from '../../repository/names.ts';
import type { Context, Invocation } from '../context.ts';
import { formatBytes } from '../../api/figures.ts';
import { reportBackup } from '../job-report.ts';
import { Progress, type ProgressState } from '../progress.ts';
import { withRetries } from '../retries.ts';
import { openFully } from '../store.ts';
import { programVersion } from '../version.ts';
import { sayWhere } from '../where.ts';
import { serverConnection, serverOptionsSchema } from './server.ts';
import { engineAmong, refuseErrors, startFinding, stateDirectory } from './tools.ts';

const optionsSchema = serverOptionsSchema.extend({
  service: z.string().optional(),
  name: z.string().optional(),
  compression: z.number(),
  parallel: z.number().optional(),
  lockedStall: z.number(),
  retries: z.number(),
  resume: z.string().optional(),
  stateDir: z.string().optional(),
});
type BackupOptions = z.infer<typeof optionsSchema>;

/** Takes a backup in this process. */
export async function backUpHere({ context, options: raw }: Invocation): Promise<void> {
  const { output, signal, clock } = context;
  const options = optionsSchema.parse(raw);
  sayWhere(context);
  const backup = options.resume === undefined ? newBackupId(clock.now()) : parseBackupId(options.resume);
  // Programs take a while to tell their version: they are asked first and heard last.
  using tools = startFinding(context);
  await using opened = await openFully(context);
  const { repository } = opened;
  const server = await serverConnection(context, options);
  const serverFacts = await readServerFacts(server, { signal });
  const engine = engineAmong(await tools.found, serverFacts);
  const [findings, described] = await Promise.all([
    engine.preflight(server, serverFacts, { signal }),
    requestOf(context, options, serverFacts),
  ]);
  refuseErrors(context, findings);
  const request = { ...described, backup, server, serverFacts };
  using progress = new Progress(output, context);
  const begun = clock.elapsed();
  const onProgress = (now: BackupProgress): void => progress.update(stateOf(now));
  const onLog = (line: string): void => output.log(line);
  const program = `holdfast ${programVersion()}`;
  const attempt = async () => takeBackup(request, { repository, engine, clock, program, signal, onProgress, onLog });
  try {
    const sealed = await withRetries(context, options.retries, attempt);
    progress[Symbol.dispose]();
    reportBackup(output, sealed, { tookMs: clock.elapsed() - begun });
  } catch (error) {
    if (!(error instanceof Conflict))
      output.stderr(`What was uploaded is kept: holdfast backup --resume ${backup} goes on with it.`);
    throw error;
  }
}

async function requestOf(
  context: Context,
  options: BackupOptions,
  facts: ServerFacts,
): Promise<Omit<TakeBackupRequest, 'backup' | 'server' | 'serverFacts'>> {
  const { clock, signal } = context;
  const { service = hostname(), compression: level, parallel, lockedStall, defaultsFile } = options;
  const lineages = new Lineages(stateDirectory(context, options.stateDir));
  const files = await collectOptionFiles({
    files: optionFilesNamed(await serverArguments(facts.dataDirectory)),
    signal,
  });
  return {
    service,
    name: options.name ?? `${service} ${isoTime(clock.now()).slice(0, 16)}Z`,
    lineage: await lineages.of(facts),
    writer: `${hostname()} ${process.pid}`,
    level,
    lockedStallMs: lockedStall * 1000,
    ...(parallel === undefined ? {} : { parallel }),
    configuration: [
      ...(defaultsFile === undefined ? [] : [`holdfast: connected with ${defaultsFile}`]),
      ...configurationLines(files, facts),
    ],
  };
}

function stateOf({ step, readBytes, expectedBytes, uploadedBytes, isLocked }: BackupProgress): ProgressState {
  const note = (): string => `${formatBytes(uploadedBytes)} uploaded${isLocked ? ', server locked' : ''}`;
  return { step, done: readBytes, total: expectedBytes, note };
}
