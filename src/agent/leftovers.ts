import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Job, JobOf } from '../api/jobs.ts';
import { systemFiles } from '../core/placement-files.ts';
import { type Placement, recoverPlacement } from '../core/placement.ts';
import { choosePrepared } from '../core/restore-preflight.ts';
import { bringUpServer, startServer, stopServer } from '../core/server-control.ts';
import { findServerUsing } from '../core/server-using.ts';
import { forgetSpread, removeSpread } from '../core/spread-areas.ts';
import type { AgentContext } from './context.ts';
import { describeFailure } from '../api/describe-failure.ts';
import { serverControl } from './restore-target.ts';
import { drillDirectory } from './run-drill.ts';
import { restoreName } from './run-restore.ts';
import { StopMarker } from './stop-marker.ts';

export interface LeftoverOptions {
  readonly signal: AbortSignal;
  /** Told what was done, and what could not be. */
  readonly say: (message: string) => void;
}

export interface EarlierJobs {
  /** Were under way when the agent ended. */
  readonly interrupted: readonly Job[];
  /** Had ended before. */
  readonly ended: readonly Job[];
}

/** Puts in order what jobs left when the agent was killed, or could not bring back. What it cannot do it tells, and goes on. */
export async function clearLeftovers(
  context: AgentContext,
  { interrupted, ended }: EarlierJobs,
  options: LeftoverOptions,
): Promise<void> {
  await attempt('private files of tools', async () => context.host.removePrivateLeftovers(), options);
  for (const job of interrupted) {
    const what = `${job.kind} ${job.id}`;
    if (job.kind === 'drill') await attempt(what, async () => clearDrill(context, job, options), options);
    if (job.kind === 'restore') await attempt(what, async () => clearRestore(context, job, options), options);
  }
  for (const job of ended)
    if (job.kind === 'restore') await attempt(`restore ${job.id}`, async () => endStop(context, job, options), options);
}

async function attempt(what: string, work: () => Promise<void>, { say, signal }: LeftoverOptions): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    const { message, nextStep } = describeFailure(error);
    say(`What was left of ${what} is not in order: ${message}. ${nextStep ?? ''}`);
  }
}

/** The directory is the job's own, so what runs on it is the server that the drill started. */
async function clearDrill(context: AgentContext, job: JobOf<'drill'>, { say }: LeftoverOptions): Promise<void> {
  const directory = drillDirectory(context, job);
  const server = await findServerUsing(directory);
  if (server !== undefined) {
    const folder = await privateFolderOf(server.pid);
    process.kill(server.pid, 'SIGKILL');
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    say(`Ended the server of drill ${job.id}: process ${server.pid}`);
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** Where the scratch server keeps its socket: beside the option file that it was started with. */
async function privateFolderOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const file = text
    .split('\0')
    .find((argument) => argument.startsWith('--defaults-file='))
    ?.slice('--defaults-file='.length);
  return file !== undefined && /\/holdfast-scratch-[^/]+\/[^/]+$/.test(file) ? dirname(file) : undefined;
}

async function clearRestore(context: AgentContext, job: JobOf<'restore'>, options: LeftoverOptions): Promise<void> {
  const { directory } = job;
  if (directory === undefined) return;
  const prepared = await choosePrepared(directory, restoreName(job));
  const marker = new StopMarker(context, job);
  const control = (await marker.isSet()) ? serverControl(context) : undefined;
  const stopped = control === undefined ? undefined : { control, directory, ...options };
  // It may be about to stop, or starting on what is being moved: what follows needs it to stand still.
  if (stopped !== undefined) await stopIfUp(stopped);
  const placed = await endPlacement(job, prepared, options);
  if (stopped === undefined) await placed?.confirm();
  else await bringServerBack(placed, stopped);
  await marker.clear();
  // After a roll-back it holds what was restored, for people to look at.
  if (placed !== undefined) {
    await systemFiles.removeIfEmpty(prepared);
    return forgetSpread(prepared);
  }
  await removeSpread(prepared, restoreName(job));
  await rm(prepared, { recursive: true, force: true });
}

/** A restore that could not start the server again said so; here it may run by now, or be started. */
async function endStop(context: AgentContext, job: JobOf<'restore'>, options: LeftoverOptions): Promise<void> {
  const { directory } = job;
  const marker = new StopMarker(context, job);
  const control = serverControl(context);
  if (directory === undefined || control === undefined || !(await marker.isSet())) return;
  if (!(await control.options.answers(options))) {
    const placed = await endPlacement(job, await choosePrepared(directory, restoreName(job)), options);
    await bringServerBack(placed, { control, directory, ...options });
    options.say(`The server runs again, which restore ${job.id} had stopped`);
  }
  await marker.clear();
}

async function endPlacement(
  job: JobOf<'restore'>,
  prepared: string,
  { signal, say }: LeftoverOptions,
): Promise<Placement | undefined> {
  const { directory: target } = job;
  if (target === undefined) return undefined;
  const placed = await recoverPlacement({ id: restoreName(job), prepared, target }, { signal });
  if (placed === undefined) return undefined;
  say(`Restore ${job.id} was all but done: its data is in ${placed.target}`);
  const old = [...(placed.old === undefined ? [] : [placed.old]), ...placed.oldElsewhere].join(' and ');
  if (old !== '') say(`What ${placed.target} held before restore ${job.id} is in ${old}`);
  return placed;
}

interface BringBack extends LeftoverOptions {
  readonly control: NonNullable<ReturnType<typeof serverControl>>;
  readonly directory: string;
}

async function stopIfUp({ control, directory, signal }: BringBack): Promise<void> {
  if ((await findServerUsing(directory)) === undefined) return;
  await stopServer(control.config, { ...control.options, dataDirectory: directory, signal });
}

/** The server runs again: on the restored data if that is in place and it answers, else on what it had. */
async function bringServerBack(
  placed: Placement | undefined,
  { control, directory, signal, say }: BringBack,
): Promise<void> {
  const options = { ...control.options, dataDirectory: directory, signal };
  if (placed === undefined) return bringUpServer(control.config, options);
  try {
    await startServer(control.config, options);
    await placed.confirm();
  } catch (error) {
    say(
      `The server does not answer on the restored data, so its old data comes back: ${describeFailure(error).message}`,
    );
    await stopServer(control.config, options);
    await placed.rollBack({ signal });
    await startServer(control.config, options);
  }
}
