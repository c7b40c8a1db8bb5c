import { dirname } from 'node:path';
import type { EngineName, Finding } from '../engine/engine.ts';
import type { DataOutside } from './data-outside.ts';
import { canWrite, freeBytes, inGigabytes, leftoversIn, preparedPrefix } from './file-system-facts.ts';
import { findGuard } from './guards.ts';
import { isDatabaseEntry } from './placement-exchange.ts';
import { type AreaFacts, gatherAreaFacts, judgeOutside } from './outside-preflight.ts';
import { namesIn, statIfThere } from './placement-files.ts';
import { judgeReplication, type RestoredServer } from './restored-server.ts';
import { findServerUsing, type ServerProcess } from './server-using.ts';
import { judgeVersions, type ServerVersion } from './version-rules.ts';

/** What is asked for, and what the host's own configuration allows. */
export interface RestoreWish {
  readonly target: string;
  /** May what the target holds be moved aside? */
  readonly isInPlace: boolean;
  readonly neededBytes: number;
  readonly backup: ServerVersion & { readonly engine: EngineName };
  /** The server that will use the directory; undefined when nobody says. */
  readonly server: ServerVersion | undefined;
  /** The tool that prepares, as found on this host. */
  readonly tool: { readonly name: EngineName; readonly version: string } | undefined;
  /** Can this host's agent stop and start the server? */
  readonly canStop: boolean;
  /** Of a restore in place: data of the server that lies elsewhere; undefined where nobody could say. */
  readonly outside?: readonly DataOutside[] | undefined;
  /** Tables of the server that are in no backup may be missing afterwards. */
  readonly acceptsMissingTables?: boolean;
  readonly starts?: RestoredServer;
  /** The user of a server beside, to whom this process may not give the files. */
  readonly serverUser?: number | undefined;
}

/** What there is, read without changing anything. */
export interface RestoreFacts {
  readonly state: 'absent' | 'empty' | 'data' | 'no-directory';
  /** The first names in a target that holds something. */
  readonly names: readonly string[];
  /** Its files can only be moved in one by one: it is a mount point, or its parent may not be written to. */
  readonly isFilledInside: boolean;
  /** Undefined when it cannot be told. */
  readonly freeBytes: number | undefined;
  readonly isWritable: boolean;
  /** Can this process give files to the owner of the target? */
  readonly canGive: boolean;
  readonly runningServer: ServerProcess | undefined;
  /** Prepared directories of other restores beside the target: under way, ended by force, or kept for people. */
  readonly leftovers: readonly string[];
  /** Where its server keeps data outside the target. */
  readonly areas?: readonly AreaFacts[];
}

/** Room beyond the files themselves: redo applied while preparing, and file system overhead. */
const slack = 1.05;

/** Go (no finding is an error) or no-go, before anything is touched. */
export async function preflightRestore(wish: RestoreWish): Promise<readonly Finding[]> {
  const areas = await gatherAreaFacts(wish.target, wish.outside ?? []);
  return judgeRestore(wish, { ...(await gatherRestoreFacts(wish.target)), areas });
}

/** Where the files are prepared before they move in: beside the target, or in it where that is impossible. */
export async function choosePrepared(target: string, id: string): Promise<string> {
  return `${(await isFilledInside(target)) ? target : dirname(target)}/${preparedPrefix}${id}`;
}

export async function gatherRestoreFacts(target: string): Promise<RestoreFacts> {
  const stat = await statIfThere(target);
  const names = stat?.isDirectory() === true ? await databaseEntries(target) : [];
  const isInside = await isFilledInside(target);
  const home = isInside ? target : await firstThere(dirname(target));
  return {
    state: stateOf(stat?.isDirectory(), names),
    names: names.slice(0, 5),
    isFilledInside: isInside,
    freeBytes: await freeBytes(home),
    isWritable: (await canWrite(home)) && (stat === undefined || (await canWrite(target))),
    canGive: stat === undefined || canGiveTo(Number(stat.uid)),
    runningServer: await findServerUsing(target),
    leftovers: await leftoversIn(home),
  };
}

/** Pure. */
export function judgeRestore(wish: RestoreWish, facts: RestoreFacts): readonly Finding[] {
  return [
    judgeTarget(wish, facts),
    judgeRunning(wish, facts),
    judgeStart(wish),
    judgeSpace(wish, facts),
    judgePermissions(wish, facts),
    judgeOwner(wish),
    judgeTool(wish),
    ...(wish.server === undefined ? [] : [judgeVersions(wish.backup, wish.server)]),
    ...judgePlaces(wish, facts),
    judgeReplication(wish.server ?? wish.backup, wish.starts ?? {}),
    judgeGuard(wish, facts),
    judgeLeftovers(facts),
  ].filter((finding) => finding !== undefined);
}

function judgeTarget({ target, isInPlace }: RestoreWish, { state, names }: RestoreFacts): Finding {
  if (state === 'no-directory') {
    return error('target-no-directory', `${target} is not a directory.`, 'Choose another target.');
  }
  if (state === 'data' && !isInPlace) {
    return error(
      'target-not-empty',
      `${target} is not empty: ${names.join(', ')}.`,
      'Choose an empty directory, or ask for a restore in place of what is there.',
    );
  }
  return ok('target', state === 'data' ? `What ${target} holds is moved aside and kept.` : `${target} is ${state}.`);
}

function judgeRunning({ target, isInPlace, canStop }: RestoreWish, { runningServer }: RestoreFacts): Finding {
  if (runningServer === undefined) return ok('no-server-running', `No server uses ${target}.`);
  const who = `${target} is in use by process ${runningServer.pid} (${runningServer.command})`;
  if (isInPlace && canStop) return ok('server-will-stop', `${who}; it is stopped once everything is prepared.`);
  return error(
    'server-running',
    `${who}.`,
    'Stop that server, or tell in the host file how it is stopped and started.',
  );
}

function judgeStart({ target, isInPlace, canStop }: RestoreWish): Finding | undefined {
  if (!isInPlace || canStop) return undefined;
  return {
    level: 'warning',
    code: 'server-not-started',
    message: `The server of ${target} is not started afterwards, as nothing here tells how.`,
    nextStep: 'Start it yourself when the restore has ended.',
  };
}

function judgeSpace({ target, neededBytes }: RestoreWish, { freeBytes: free }: RestoreFacts): Finding {
  const needed = Math.ceil(neededBytes * slack);
  if (free === undefined)
    return {
      level: 'warning',
      code: 'space-unknown',
      message: `It cannot be told how much room there is for ${target}.`,
    };
  const figures = `${inGigabytes(needed)} GB are needed for ${target}, ${inGigabytes(free)} GB are free`;
  return free >= needed
    ? ok('space', `${figures}.`)
    : error('space-missing', `${figures}.`, 'Make room, or choose a target in a larger file system.');
}

function judgePermissions({ target }: RestoreWish, { isWritable, canGive }: RestoreFacts): Finding {
  if (!isWritable)
    return error(
      'target-not-writable',
      `This process may not write to ${target} or to the directory that holds it.`,
      'Run the agent as root or as the user of the database server.',
    );
  if (!canGive)
    return error(
      'ownership-refused',
      `This process may not give files to the owner of ${target}.`,
      'Run the agent as root or as the user of the database server.',
    );
  return ok('permissions', `This process may write to ${target}.`);
}

function judgeOwner({ target, serverUser }: RestoreWish): Finding | undefined {
  if (serverUser === undefined) return undefined;
  return {
    level: 'warning',
    code: 'files-not-given',
    message: `The restored files belong to the user of this process, who may not give them to that of the server (${serverUser}).`,
    nextStep: `When it is done, give them to the server: chown -R ${serverUser} ${target}`,
  };
}

function judgeTool({ tool, backup }: RestoreWish): Finding {
  if (tool === undefined)
    return error(
      'tool-missing',
      `There is no ${backup.engine} on this host that fits a backup of ${backup.vendor} ${numbersOf(backup.version)}.`,
      `Install the one of the release that was backed up. It may stand beside that of another release: \`toolPath\` in the agent's file lists the folders.`,
    );
  return ok('tool', `${tool.name} ${tool.version} prepares the files.`);
}

function numbersOf(version: string): string {
  return /^[\d.]+/.exec(version)?.[0] ?? version;
}

function judgePlaces(
  { target, isInPlace, outside, acceptsMissingTables = false }: RestoreWish,
  { state, areas = [] }: RestoreFacts,
): readonly Finding[] {
  if (outside !== undefined) {
    const findings = judgeOutside(target, outside, areas);
    return acceptsMissingTables ? findings.map((finding) => accepted(finding)) : findings;
  }
  if (!isInPlace || state !== 'data') return [];
  return [
    {
      level: 'warning',
      code: 'places-unknown',
      message: `Whether the server keeps undo, redo or binary logs outside ${target} cannot be told, as it does not answer.`,
      nextStep: 'If it does, start it and ask again: it is stopped once everything is prepared.',
    },
  ];
}

function accepted(finding: Finding): Finding {
  if (finding.code !== 'aria-behind-links') return finding;
  const { nextStep: _, ...told } = finding;
  return { ...told, level: 'warning' };
}

/** Only files that move one by one need a guard: a whole directory moves in one step. */
function judgeGuard(
  { server, backup }: RestoreWish,
  { state, isFilledInside: isInside }: RestoreFacts,
): Finding | undefined {
  if (state !== 'data' && !isInside) return undefined;
  const { vendor, version } = server ?? backup;
  const guard = findGuard({ vendor, version });
  if (guard !== undefined)
    return ok(
      'guard',
      `${vendor} ${guard.series} is proven to refuse a start half-way, by ${guard.files.join(' and ')}.`,
    );
  return error(
    'guard-unknown',
    `It is not proven that ${vendor} ${version} refuses to start while its files are being replaced.`,
    'Restore into a directory that does not exist yet, and point the server to it when the restore has finished.',
  );
}

/** Whether somebody still needs them only a person can tell. */
function judgeLeftovers({ leftovers: beside, areas = [] }: RestoreFacts): Finding | undefined {
  const leftovers = [...beside, ...areas.flatMap((area) => area.leftovers)];
  if (leftovers.length === 0) return undefined;
  return {
    level: 'warning',
    code: 'restore-leftovers',
    message: `Other restores are under way or left their files behind: ${leftovers.join(', ')}.`,
    nextStep: 'Remove what is left of restores that were ended by force.',
  };
}

function stateOf(isDirectory: boolean | undefined, names: readonly string[]): RestoreFacts['state'] {
  if (isDirectory === undefined) return 'absent';
  if (!isDirectory) return 'no-directory';
  return names.length === 0 ? 'empty' : 'data';
}

async function isFilledInside(target: string): Promise<boolean> {
  const stat = await statIfThere(target);
  if (stat?.isDirectory() !== true) return false;
  const parent = await statIfThere(dirname(target));
  return (
    stat.dev !== parent?.dev || (await namesIn(target)).includes('lost+found') || !(await canWrite(dirname(target)))
  );
}

async function databaseEntries(directory: string): Promise<string[]> {
  return (await namesIn(directory)).filter((name) => isDatabaseEntry(name));
}

/** May this process give files to that user? */
export function canGiveTo(uid: number): boolean {
  const own = process.geteuid?.();
  return own === 0 || own === uid;
}

async function firstThere(path: string): Promise<string> {
  return path === '/' || (await statIfThere(path)) !== undefined ? path : firstThere(dirname(path));
}

function ok(code: string, message: string): Finding {
  return { level: 'ok', code, message };
}

function error(code: string, message: string, nextStep: string): Finding {
  return { level: 'error', code, message, nextStep };
}
