import { realpath } from 'node:fs/promises';
import { basename, dirname, join, normalize, sep } from 'node:path';
import type { RestoreRequest } from '../api/jobs.ts';
import { type DataOutside, dataOutside } from '../core/data-outside.ts';
import { doesAnswer } from '../core/does-answer.ts';
import { ownershipOf } from '../core/ownership.ts';
import { isThere, statIfThere } from '../core/placement-files.ts';
import type { RestoreTarget } from '../core/restore-backup.ts';
import { canGiveTo } from '../core/restore-preflight.ts';
import type { ControlOptions } from '../core/server-control.ts';
import type { Finding, ServerFacts } from '../engine/engine.ts';
import { Failure, InvalidRequest, PermanentFailure } from '../lib/failure.ts';
import { type AgentContext, databaseConnection, factsIfUp } from './context.ts';
import type { Abortable } from './host.ts';
import { outsideAsSeen, type SeenServer } from './last-seen.ts';

type TargetRequest = Pick<RestoreRequest, 'target' | 'identity' | 'replication' | 'acceptsMissingTables'>;

/** Where a restore goes, and what there is to say of how that is known. */
interface Targeted {
  readonly target: RestoreTarget;
  readonly findings: readonly Finding[];
}

/**
 * Where a restore goes, within what the agent's file allows.
 * @throws InvalidRequest `restore-directory-not-allowed`; PermanentFailure `in-place-not-allowed`; Failure `server-never-seen`,
 * and what keeps a server that is up from telling of itself
 */
export async function restoreTarget(
  context: AgentContext,
  { target: wish, identity, replication, acceptsMissingTables = false }: TargetRequest,
  options: Abortable,
): Promise<Targeted> {
  const server = { identity, replication };
  if ('directory' in wish) {
    const directory = await allowedDirectory(wish.directory, context.config.restore.directories);
    const facts = await factsIfUp(context, options);
    const ownership = facts && (await ownershipOf(facts.dataDirectory));
    if (ownership === undefined) return { target: { directory, server }, findings: [] };
    const owner = canGiveTo(ownership.uid) ? { ownership } : { serverUser: ownership.uid };
    return { target: { directory, server, ...owner }, findings: [] };
  }
  const { mayRestoreInPlace } = context.config.restore;
  if (!mayRestoreInPlace)
    throw new PermanentFailure(
      'in-place-not-allowed',
      "Cannot restore in place as the agent's file does not allow it: mayRestoreInPlace is false",
      {
        nextStep: "Set `restore.mayRestoreInPlace` in the agent's file, or restore into a directory.",
      },
    );
  const { vendor, version, dataDirectory, outside, findings } = await serverThere(context, options);
  const control = serverControl(context);
  const target = {
    directory: dataDirectory,
    server,
    inPlace: {
      server: { vendor, version },
      outside,
      acceptsMissingTables,
      ...(control === undefined ? {} : { control }),
    },
  };
  return { target, findings };
}

interface ServerThere extends Pick<ServerFacts, 'vendor' | 'version' | 'dataDirectory'> {
  readonly outside: readonly DataOutside[];
  readonly findings: readonly Finding[];
}

/** The server whose data is replaced: as it says itself, or, when it is down, as it said the last time. */
async function serverThere(context: AgentContext, options: Abortable): Promise<ServerThere> {
  const answer = await factsOrDown(context, options);
  if ('facts' in answer) {
    const { facts } = answer;
    return { ...facts, outside: await dataOutside(facts), findings: [] };
  }
  const seen = await context.lastSeen.recall();
  if (seen === undefined) throw neverSeen(answer.down);
  // It may be a file system that is not mounted, so nobody makes it but a person.
  if (!(await isThere(seen.dataDirectory))) throw directoryMissing(seen, answer.down);
  return { ...seen, outside: await outsideAsSeen(seen), findings: [asLastSeen(seen)] };
}

async function factsOrDown(
  context: AgentContext,
  options: Abortable,
): Promise<{ readonly facts: ServerFacts } | { readonly down: Failure }> {
  const connection = await databaseConnection(context);
  try {
    return { facts: await context.host.readServerFacts(connection, options) };
  } catch (error) {
    options.signal.throwIfAborted();
    if (isDown(error)) return { down: error };
    throw error;
  }
}

/** A server that refuses, whatever its reason, is up. */
function isDown(error: unknown): error is Failure {
  if (!(error instanceof Failure) || error.code !== 'database-unreachable') return false;
  const { cause } = error;
  return !(cause instanceof Error && 'code' in cause && String(cause.code).startsWith('ER_'));
}

function asLastSeen({ at, vendor, version, dataDirectory }: SeenServer): Finding {
  return {
    level: 'warning',
    code: 'server-as-last-seen',
    message: `The server does not answer, so this goes by what it was as last seen at ${at}: ${vendor} ${version} with its data in ${dataDirectory}.`,
    nextStep: 'If its option files have changed since then, restore into a directory instead.',
  };
}

function directoryMissing({ at, dataDirectory }: SeenServer, cause: Failure): Failure {
  return new Failure(
    'data-directory-missing',
    `Cannot restore in place as the server does not answer, and its data directory as last seen at ${at} is not there: ${dataDirectory}`,
    {
      cause,
      nextStep: 'Mount it, or make it, empty, for the user of the server; then ask again.',
    },
  );
}

function neverSeen(cause: Failure): Failure {
  return new Failure(
    'server-never-seen',
    'Cannot restore in place as the server does not answer, and this agent never saw it, so that it is not known where its data is',
    {
      cause,
      nextStep:
        "Restore into a directory and point the server to it; or, on the server's host, name its directory: holdfast restore … --in-place --data-directory DIRECTORY.",
    },
  );
}

/** How the server is stopped and started, if the agent's file tells. */
export function serverControl(context: AgentContext): NonNullable<RestoreTarget['inPlace']>['control'] {
  const { control, controlLimitSeconds } = context.config.restore;
  if (control === undefined) return undefined;
  const answers: ControlOptions['answers'] = async ({ signal }) =>
    doesAnswer(async () => context.host.connect(await databaseConnection(context), { signal }));
  return { config: control, options: { answers, limitMs: controlLimitSeconds * 1000, clock: context.clock } };
}

/** The directory with the links on the way to it resolved, strictly below one of those listed. Its parent must be there. */
export async function allowedDirectory(wanted: string, listed: readonly string[]): Promise<string> {
  const path = wanted.replace(/(?<=.)\/+$/, '');
  if (path.includes('\0') || normalize(path) !== path)
    throw notAllowed(wanted, 'it is not a plain absolute path', listed);
  const parent = await orUndefined(realpath(dirname(path)));
  if (parent === undefined) throw notAllowed(wanted, 'the directory that would hold it is not there', listed);
  const resolved = join(parent, basename(path));
  const found = await statIfThere(resolved);
  if (found?.isSymbolicLink() === true) throw notAllowed(wanted, 'it is a symbolic link', listed);
  if (await isBelowAny(resolved, listed)) return resolved;
  throw notAllowed(wanted, "it is below none of the directories that the agent's file lists", listed);
}

async function isBelowAny(path: string, directories: readonly string[]): Promise<boolean> {
  for (const directory of directories) {
    const root = await orUndefined(realpath(directory));
    if (root !== undefined && path.startsWith(root === sep ? sep : `${root}${sep}`)) return true;
  }
  return false;
}

async function orUndefined<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch {
    return undefined;
  }
}

function notAllowed(wanted: string, why: string, listed: readonly string[]): InvalidRequest {
  const names = listed.length === 0 ? 'none' : listed.join(', ');
  return new InvalidRequest(
    'restore-directory-not-allowed',
    `Cannot restore into ${JSON.stringify(wanted)} as ${why}: listed are ${names}`,
    {
      nextStep: "Choose a directory below a listed one, or add to `restore.directories` in the agent's file.",
    },
  );
}
