import { access, chmod, constants, mkdir, readFile, rm } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { JobOf } from '../api/jobs.ts';
import { drillBackup } from '../core/drill.ts';
import { type Ownership, ownershipFor, ownershipOf } from '../core/ownership.ts';
import type { ScratchServerOptions } from '../core/scratch-server.ts';
import { serverOf } from '../core/sealed-server.ts';
import type { Vendor } from '../engine/engine.ts';
import { PermanentFailure } from '../lib/failure.ts';
import type { RunTools } from './active-job.ts';
import { type AgentContext, factsIfUp } from './context.ts';
import type { Abortable } from './host.ts';
import { openLocation, readSealed } from './open-location.ts';
import { engineFor } from './run-backup.ts';
import { stepReporter } from './run-restore.ts';

/** A check of a large table takes as long as it takes; the job's own end is the limit. */
const queryLimitMs = 24 * 60 * 60 * 1000;

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
    context.host.connect({ socket, user: 'root' }, { ...options, timeoutMs: queryLimitMs });
  const directory = drillDirectory(context, job);
  for (const each of [context.config.drill.directory, directory]) await makePassable(each);
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
      server: { program: await serverProgram(context, vendor), connect },
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
  const user = (await userNamed('mysql')) ?? (await userNamed('nobody'));
  return user && ownershipFor(user);
}

async function userNamed(name: string): Promise<{ uid: number; gid: number } | undefined> {
  const text = await readFile('/etc/passwd', 'utf8');
  const [, uid, gid] = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(text) ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** Names of server programs, the vendor's own first. */
const programNames: Readonly<Record<Vendor, readonly string[]>> = {
  MariaDB: ['mariadbd', 'mysqld'],
  MySQL: ['mysqld'],
  'Percona Server': ['mysqld'],
};

async function serverProgram({ config }: AgentContext, vendor: Vendor): Promise<string> {
  if (config.drill.serverProgram !== undefined) return config.drill.serverProgram;
  const folders = [...config.toolPath.split(delimiter), '/usr/sbin', '/usr/libexec', '/usr/local/sbin'];
  for (const folder of folders.filter((each) => isAbsolute(each))) {
    for (const name of programNames[vendor]) {
      const program = join(folder, name);
      if (await isProgram(program)) return program;
    }
  }
  throw new PermanentFailure(
    'server-program-missing',
    `Cannot start a server for the drill as there is none of ${vendor} on this host`,
    {
      nextStep: `Install the server's package, or name its program as \`drill.serverProgram\` in the agent's file.`,
    },
  );
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
