import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobOf } from '../api/jobs.ts';
import { drillBackup, DRILL_QUERY_LIMIT_MS } from '../core/drill.ts';
import { ownershipOfServers } from '../core/host-user.ts';
import { type Ownership, ownershipOf } from '../core/ownership.ts';
import type { ScratchServerOptions } from '../core/scratch-server.ts';
import { serverOf } from '../core/sealed-server.ts';
import { findServerProgram } from '../core/server-program.ts';
import type { RunTools } from './active-job.ts';
import { type AgentContext, factsIfUp } from './context.ts';
import type { Abortable } from './host.ts';
import { openLocation, readSealed } from './open-location.ts';
import { engineFor } from './run-backup.ts';
import { stepReporter } from './run-restore.ts';

/** Restores a backup into a scratch directory, starts a server on it and checks its tables. */
export async function runDrill(context: AgentContext, job: JobOf<'drill'>, tools: RunTools): Promise<unknown> {
  const { signal, log, report, location } = tools;
  const { request } = job;
  const { folder } = request;
  report({ step: 'preflight', bytes: { read: 0 }, isLocked: false });
  await using opened = await openLocation(context, { location, folder }, { signal, mayCreate: false });
  const { repository } = opened;
  const sealed = await readSealed(repository, request.backup, signal);
  const { vendor, version } = serverOf(sealed);
  const ownership = await serverOwnership(context, { signal });
  const connect: ScratchServerOptions['connect'] = async (socket, options) =>
    context.host.connect({ socket, user: 'root' }, { ...options, timeoutMs: DRILL_QUERY_LIMIT_MS });
  const { toolPath, drill } = context.config;
  const directory = drillDirectory(context, job);
  const naming = "as `drill.serverProgram` in the agent's file";
  const program = drill.serverProgram ?? (await findServerProgram(vendor, { path: toolPath, naming }));
  for (const each of [drill.directory, directory]) await makePassable(each);
  try {
    const {
      version: serverVersion,
      tables,
      views,
      unchecked,
      checksums,
      steps,
    } = await drillBackup(sealed, {
      directory,
      ...(ownership === undefined ? {} : { ownership }),
      server: { program, connect },
      check: { depth: request.depth, withChecksums: request.withChecksums },
      repository,
      engine: await engineFor(context, { vendor, version }, { signal }),
      clock: context.clock,
      signal,
      onLog: log,
      onProgress: stepReporter(report),
      ...(request.memoryBytes === undefined ? {} : { memoryBytes: request.memoryBytes }),
    });
    return { serverVersion, tables, views, unchecked, checksums, steps };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The server, which is another user, passes through; whatever the agent's umask is. */
async function makePassable(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o711);
}

/** Of this job alone, so that a restarted agent knows what it may remove. */
export function drillDirectory({ config }: AgentContext, { id }: Pick<JobOf<'drill'>, 'id'>): string {
  return join(config.drill.directory, `agent-${id}`);
}

/** Servers refuse to run as root: theirs is the user of the server here, or the one that packages make. */
async function serverOwnership(context: AgentContext, options: Abortable): Promise<Ownership | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const facts = await factsIfUp(context, options);
  const here = facts && (await ownershipOf(facts.dataDirectory));
  if (here !== undefined && here.uid !== 0) return here;
  return ownershipOfServers();
}
