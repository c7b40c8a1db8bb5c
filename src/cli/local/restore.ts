import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import * as z from 'zod';
import { dataOutside } from '../../core/data-outside.ts';
import { ownershipOfUser } from '../../core/host-user.ts';
import { Lineages } from '../../core/lineage.ts';
import { doesAnswer } from '../../core/does-answer.ts';
import { checkRestore, type InPlace, restoreBackup, type RestoreTarget } from '../../core/restore-backup.ts';
import { serverOf } from '../../core/sealed-server.ts';
import type { ServerConnection, ServerFacts } from '../../engine/engine.ts';
import { readServerFacts } from '../../engine/server-facts.ts';
import { Sql } from '../../engine/sql.ts';
import { Failure, InvalidRequest } from '../../lib/failure.ts';
import { confirm } from '../confirm.ts';
import { controlOf } from '../control-options.ts';
import type { Context, Invocation } from '../context.ts';
import { findSealed } from '../find-backup.ts';
import { formatBytes } from '../../api/figures.ts';
import { formatServer, formatTime } from '../format.ts';
import { ownershipOfOwner } from '../host-user.ts';
import { reportRestore } from '../job-report.ts';
import { Progress } from '../progress.ts';
import { openFully } from '../store.ts';
import { sayWhere } from '../where.ts';
import { serverConnection, serverOptionsSchema } from './server.ts';
import { stepState } from './steps.ts';
import { engineFor, stateDirectory } from './tools.ts';

const optionsSchema = serverOptionsSchema.extend({
  to: z.string().optional(),
  inPlace: z.boolean().default(false),
  dataDirectory: z.string().optional(),
  unit: z.string().optional(),
  stopCommand: z.string().optional(),
  startCommand: z.string().optional(),
  controlLimit: z.number(),
  owner: z.string().optional(),
  acceptMissingTables: z.boolean().default(false),
  yes: z.boolean().default(false),
  memory: z.number().optional(),
  service: z.string().optional(),
  stateDir: z.string().optional(),
});
type RestoreOptions = z.infer<typeof optionsSchema>;

/** Restores a backup in this process. */
export async function restoreHere({ context, args, options: raw }: Invocation): Promise<void> {
  const { output, signal, clock } = context;
  const options = optionsSchema.parse(raw);
  checkOptions(options);
  sayWhere(context);
  await using opened = await openFully(context);
  const { repository } = opened;
  const sealed = await findSealed(repository, args[0] ?? '', { signal, service: options.service });
  const target = await targetOf(context, options);
  const engine = await engineFor(context, serverOf(sealed));
  for (const { level, message } of await checkRestore(sealed, target, engine)) {
    if (level === 'warning') output.warn(message);
    else if (level === 'ok') output.remark(`  ${message}`);
  }
  if (target.inPlace) {
    const when = `${formatServer(sealed.source)}, ${formatBytes(sealed.logicalBytes)}, of ${formatTime(sealed.startedAt)}`;
    const about = [
      `${target.directory} will hold backup ${sealed.backup} (${when}).`,
      'What is there now is moved aside and kept.',
    ];
    await confirm(context, { about, word: 'restore', isYes: options.yes });
  }
  using progress = new Progress(output, context);
  const restored = await restoreBackup(sealed, target, {
    id: `cli-${randomBytes(4).toString('hex')}`,
    lineages: new Lineages(stateDirectory(context, options.stateDir)),
    repository,
    engine,
    clock,
    signal,
    onProgress: (now) => progress.update(stepState(now)),
    onLog: (line) => output.log(line),
    ...(options.memory === undefined ? {} : { memoryBytes: options.memory }),
  });
  progress[Symbol.dispose]();
  reportRestore(output, {
    backup: sealed.backup,
    target: restored.directory,
    old: restored.old,
    oldElsewhere: restored.oldElsewhere,
    steps: restored.steps,
  });
  if (options.to !== undefined && options.owner === undefined) await sayOwner(context, restored.directory);
}

/** No server runs as root, nor reads what is another user's alone. */
async function sayOwner({ output }: Context, directory: string): Promise<void> {
  const { uid } = await stat(directory);
  const servers = await ownershipOfUser('mysql');
  if (servers === undefined ? uid !== 0 : uid === servers.uid) return;
  const owner = uid === 0 ? 'root' : `user ${uid}`;
  output.remark(
    `  The files belong to ${owner}. Before a server starts on them, give them to its user, such as by: chown -R mysql: ${directory}`,
  );
}

function checkOptions(options: RestoreOptions): void {
  const { to, inPlace, unit, stopCommand, startCommand } = options;
  if ((to === undefined) !== inPlace) {
    throw new InvalidRequest('target-unclear', 'Cannot restore as it is not clear where to', {
      nextStep: 'Give either --to DIRECTORY or --in-place.',
    });
  }
  const isControlled = [unit, stopCommand, startCommand, options.dataDirectory].some((given) => given !== undefined);
  if (!inPlace && isControlled) {
    throw new InvalidRequest('target-unclear', 'Cannot use these options as they are for a restore in place', {
      nextStep: 'Add --in-place instead of --to, or leave them out.',
    });
  }
  controlOf(options);
}

async function targetOf(context: Context, options: RestoreOptions): Promise<RestoreTarget> {
  const { to, owner } = options;
  const ownership = owner === undefined ? {} : { ownership: await ownershipOfOwner(owner) };
  if (to !== undefined) return { directory: absolute(to), ...ownership };
  const connection = await serverConnection(context, options);
  const facts = await factsIfUp(connection, context);
  const directory = options.dataDirectory ?? facts?.dataDirectory;
  if (directory === undefined) {
    throw new InvalidRequest(
      'target-unclear',
      'Cannot restore in place as the server does not answer, so that it is not known where its data is',
      { nextStep: 'Give --data-directory.' },
    );
  }
  // Another server may answer on the socket: what it says holds for its own directory only.
  const server = facts && resolve(facts.dataDirectory) === resolve(directory) ? facts : undefined;
  const inPlace = inPlaceOf(context, { options, connection, server });
  const outside = server && (await dataOutside(server));
  return { directory: absolute(directory), inPlace: { ...inPlace, ...(outside && { outside }) }, ...ownership };
}

function absolute(path: string): string {
  if (isAbsolute(path)) return resolve(path);
  throw new InvalidRequest('target-unclear', `Cannot restore into ${path} as it is not an absolute path`);
}

async function factsIfUp(server: ServerConnection, { signal }: Context): Promise<ServerFacts | undefined> {
  try {
    return await readServerFacts(server, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure && error.code === 'database-unreachable') return undefined;
    throw error;
  }
}

function inPlaceOf(
  { clock }: Context,
  given: { options: RestoreOptions; connection: ServerConnection; server: ServerFacts | undefined },
): InPlace {
  const { options, connection, server } = given;
  const config = controlOf(options);
  const answers = async ({ signal }: { signal: AbortSignal }): Promise<boolean> =>
    doesAnswer(async () => Sql.connect(connection, { signal }));
  return {
    server: server && { vendor: server.vendor, version: server.version },
    acceptsMissingTables: options.acceptMissingTables,
    ...(config && { control: { config, options: { answers, limitMs: options.controlLimit * 1000, clock } } }),
  };
}
