import type { JobOf, RestoreRequest } from '../api/jobs.ts';
import { needsPerson } from '../core/needs-person.ts';
import { systemFiles } from '../core/placement-files.ts';
import { checkRestore, restoreBackup } from '../core/restore-backup.ts';
import type { StepProgress } from '../core/prepare-restore.ts';
import { choosePrepared } from '../core/restore-preflight.ts';
import { serverOf } from '../core/sealed-server.ts';
import type { Finding } from '../engine/engine.ts';
import type { Report, RunTools } from './active-job.ts';
import type { AgentContext } from './context.ts';
import type { Abortable } from './host.ts';
import { openLocation, readSealed } from './open-location.ts';
import { restoreTarget } from './restore-target.ts';
import { engineFor } from './run-backup.ts';
import { StopMarker } from './stop-marker.ts';

/** Restores a backup. @returns where it is now and how long each step took */
export async function runRestore(context: AgentContext, job: JobOf<'restore'>, tools: RunTools): Promise<unknown> {
  const { signal, log, report, location } = tools;
  const { request } = job;
  const { folder } = request;
  report({ step: 'preflight', bytes: { read: 0 }, isLocked: false });
  const { target, findings } = await restoreTarget(context, request, { signal });
  for (const { level, message } of findings) log(`holdfast: ${level}: ${message}`);
  const { directory } = target;
  report({ step: 'preflight', bytes: { read: 0 }, isLocked: false, directory });
  await using opened = await openLocation(context, { location, folder }, { signal, mayCreate: false });
  const { repository } = opened;
  const sealed = await readSealed(repository, request.backup, signal);
  const marker = new StopMarker(context, job);
  const tell = stepReporter(report, { directory });
  try {
    const result = await restoreBackup(sealed, target, {
      id: restoreName(job),
      lineages: context.lineages,
      repository,
      engine: await engineFor(context, serverOf(sealed), { signal }),
      clock: context.clock,
      signal,
      onLog: log,
      onProgress: (progress) => {
        if (progress.step === 'stop') marker.set();
        tell(progress);
      },
      ...(request.memoryBytes === undefined ? {} : { memoryBytes: request.memoryBytes }),
    });
    await systemFiles.removeIfEmpty(await choosePrepared(directory, restoreName(job)));
    await marker.clear();
    const { gtid, binlog } = sealed;
    return {
      target: result.directory,
      ...(result.old === undefined ? {} : { old: result.old }),
      oldElsewhere: result.oldElsewhere,
      steps: result.steps,
      gtid,
      ...(binlog === undefined ? {} : { binlog: { file: binlog.file, position: binlog.position } }),
    };
  } catch (error) {
    // Else it says to the next agent that the server may be down.
    if (!needsPerson(error)) await marker.clear();
    throw error;
  }
}

/** Names what lies beside the target meanwhile; another attempt must not meet what one before left for people. */
export function restoreName({ id, attempt }: Pick<JobOf<'restore'>, 'id' | 'attempt'>): string {
  return `${id}-${attempt}`;
}

/** What stands in the way of a restore, and what does not. */
export async function preflightRestoreJob(
  context: AgentContext,
  request: RestoreRequest,
  options: Abortable,
): Promise<readonly Finding[]> {
  const { target, findings: told } = await restoreTarget(context, request, options);
  await using opened = await openLocation(context, request, { ...options, mayCreate: false });
  const sealed = await readSealed(opened.repository, request.backup, options.signal);
  const { engines, findings } = await context.host.findEngines(options);
  const { engine } = context.host.chooseEngine(serverOf(sealed), engines);
  return [...told, ...findings, ...(await checkRestore(sealed, target, engine))];
}

/** Steps that know nothing of bytes keep the count of the one before. */
export function stepReporter(
  report: (progress: Report) => void,
  more: Pick<Report, 'directory'> = {},
): (progress: StepProgress) => void {
  let bytes: Report['bytes'] = { read: 0 };
  return (progress) => {
    if (progress.bytes !== undefined) bytes = { read: progress.bytes.done, expected: progress.bytes.total };
    const tables = progress.tables === undefined ? {} : { tables: progress.tables };
    report({ step: progress.step, bytes, isLocked: false, ...tables, ...more });
  };
}
