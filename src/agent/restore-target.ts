import { realpath } from 'node:fs/promises';
import { basename, dirname, join, normalize, sep } from 'node:path';
import type { RestoreRequest } from '../api/jobs.ts';
import { dataOutside } from '../core/data-outside.ts';
import { doesAnswer } from '../core/does-answer.ts';
import { ownershipOf } from '../core/ownership.ts';
import { statIfThere } from '../core/placement-files.ts';
import type { RestoreTarget } from '../core/restore-backup.ts';
import { canGiveTo } from '../core/restore-preflight.ts';
import type { ControlOptions } from '../core/server-control.ts';
import { InvalidRequest, PermanentFailure } from '../lib/failure.ts';
import { type AgentContext, databaseConnection, factsIfUp } from './context.ts';
import type { Abortable } from './host.ts';

type TargetRequest = Pick<RestoreRequest, 'target' | 'identity' | 'replication' | 'acceptsMissingTables'>;

/**
 * Where a restore goes, within what the agent's file allows.
 * @throws InvalidRequest `restore-directory-not-allowed`; PermanentFailure `in-place-not-allowed`; Failure `database-unreachable`
 */
export async function restoreTarget(
  context: AgentContext,
  { target: wish, identity, replication, acceptsMissingTables = false }: TargetRequest,
  options: Abortable,
): Promise<RestoreTarget> {
  const server = { identity, replication };
  if ('directory' in wish) {
    const directory = await allowedDirectory(wish.directory, context.config.restore.directories);
    const facts = await factsIfUp(context, options);
    const ownership = facts && (await ownershipOf(facts.dataDirectory));
    if (ownership === undefined) return { directory, server };
    return { directory, server, ...(canGiveTo(ownership.uid) ? { ownership } : { serverUser: ownership.uid }) };
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
  const facts = await context.host.readServerFacts(await databaseConnection(context), options);
  const { dataDirectory, vendor, version } = facts;
  const control = serverControl(context);
  return {
    directory: dataDirectory,
    server,
    inPlace: {
      server: { vendor, version },
      outside: await dataOutside(facts),
      acceptsMissingTables,
      ...(control === undefined ? {} : { control }),
    },
  };
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
