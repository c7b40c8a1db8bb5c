import { hostname } from 'node:os';
import { refuseBackup } from '../core/backup-preflight.ts';
import { chosenEngine } from '../core/chosen-engine.ts';
import { configurationLines } from '../core/configuration-lines.ts';
import { type BackupProgress, takeBackup } from '../core/take-backup.ts';
import type { Engine, Finding, ServerConnection, ServerFacts } from '../engine/engine.ts';
import { readSettlement } from '../repository/settle.ts';
import type { JobOf } from '../api/jobs.ts';
import type { Report, RunTools } from './active-job.ts';
import { type AgentContext, databaseConnection } from './context.ts';
import type { Abortable } from './host.ts';
import { openLocation } from './open-location.ts';

/** Takes a backup of the agent's server. @returns its seal */
export async function runBackup(context: AgentContext, job: JobOf<'backup'>, tools: RunTools): Promise<unknown> {
  const { signal, log, report, location } = tools;
  const { request } = job;
  const { folder } = request;
  report({ step: 'preflight', bytes: { read: 0 }, isLocked: false });
  await using opened = await openLocation(context, { location, folder }, { signal, mayCreate: true });
  const settled = await readSettlement(opened.repository, job.id, signal);
  if (settled?.state === 'sealed') {
    // An attempt before was sealed, and its agent killed before it could say so.
    log(`holdfast: the backup is sealed already, by attempt ${settled.attempt}`);
    return settled;
  }
  const server = await databaseConnection(context);
  const serverFacts = await context.host.readServerFacts(server, { signal });
  const engine = await engineFor(context, serverFacts, { signal });
  refuse(await engine.preflight(server, serverFacts, { signal }), log);
  const optionFiles = await context.host.optionFiles(serverFacts.dataDirectory, { signal });
  return takeBackup(
    {
      backup: job.id,
      name: request.name,
      service: request.service,
      ...(request.schedule === undefined ? {} : { schedule: request.schedule }),
      lineage: await context.lineages.of(serverFacts),
      writer: `${hostname()} ${process.pid}`,
      level: request.compression,
      ...(context.tuning === undefined ? {} : { tuning: context.tuning }),
      server,
      serverFacts,
      configuration: configurationLines(optionFiles, serverFacts),
      ...(request.parallel === undefined ? {} : { parallel: request.parallel }),
      lockedStallMs: request.lockedStallSeconds * 1000,
    },
    {
      repository: opened.repository,
      engine,
      clock: context.clock,
      program: context.program,
      signal,
      onLog: log,
      onProgress: (progress) => report(asReport(progress)),
    },
  );
}

/** What stands in the way of a backup, and what does not. */
export async function preflightBackup(
  context: AgentContext,
  given: { server: ServerConnection; facts: ServerFacts },
  options: Abortable,
): Promise<readonly Finding[]> {
  const { engines, findings } = await context.host.findEngines(options);
  const choice = context.host.chooseEngine(given.facts, engines);
  if (choice.engine === undefined) return [...findings, ...choice.findings];
  return [...findings, ...(await choice.engine.preflight(given.server, given.facts, options))];
}

/** The tool for this server, or for the one that a backup was taken of. @throws PermanentFailure `tool-missing` */
export async function engineFor(
  { host }: AgentContext,
  server: Pick<ServerFacts, 'vendor' | 'version'>,
  options: Abortable,
): Promise<Engine> {
  const found = await host.findEngines(options);
  return chosenEngine(server, { found: found.findings, choice: host.chooseEngine(server, found.engines) });
}

function refuse(findings: readonly Finding[], log: (line: string) => void): void {
  for (const { level, message } of findings) if (level !== 'ok') log(`holdfast: ${level}: ${message}`);
  refuseBackup(findings);
}

function asReport({ step, readBytes, expectedBytes, uploadedBytes, isLocked }: BackupProgress): Report {
  const expected = expectedBytes === undefined ? {} : { expected: expectedBytes };
  return { step, bytes: { read: readBytes, ...expected, uploaded: uploadedBytes }, isLocked };
}
