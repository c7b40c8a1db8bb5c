import { dirname, join } from 'node:path';

import { Conflict, Failure } from '../lib/failure.ts';
import type { Guard } from './guards.ts';
import { exchange, type ExchangeOptions, isDatabaseEntry, turnBack } from './placement-exchange.ts';
import type { Watched } from './mysql-tablespaces.ts';
import { isThere, namesIn, type PlacementFiles, systemFiles, temporaryFor } from './placement-files.ts';
import {
  findJournals,
  type Journal,
  journalPath,
  readJournal,
  removeJournal,
  writeJournal,
} from './placement-journal.ts';
import { cannotMove, openOld, planEntries, type PreparedArea, probeName, probeRenames } from './placement-plan.ts';
import { findServerUsing, type ServerProcess } from './server-using.ts';

export interface PlaceOptions {
  /** Letters, digits and hyphens; names the journal. */
  readonly id: string;
  /** Prepared, synced and owned as the server needs it; beside the target, or in it under a name that begins with `.holdfast-`. */
  readonly prepared: string;
  readonly target: string;
  /** Where the entries of a target that holds data go. Without it such a target is refused. */
  readonly old?: string;
  /** Needed unless the target is absent or empty and `prepared` lies beside it. */
  readonly guard?: Guard;
  /** Directories outside the target that hold more of its server's data. Needs a guard. */
  readonly areas?: readonly PreparedArea[];
  /** Where tablespaces that are new keep the data from being replaced. */
  readonly watched?: readonly Watched[];
  readonly signal: AbortSignal;
  readonly files?: PlacementFiles;
  readonly findServer?: (directory: string) => Promise<ServerProcess | undefined>;
}

export type RecoverOptions = Pick<PlaceOptions, 'signal' | 'files' | 'findServer'>;

/** A directory of restored data in its place, kept reversible until it is confirmed. */
export interface Placement {
  readonly target: string;
  /** Holds what the target held before; undefined when that was nothing. */
  readonly old: string | undefined;
  /** Hold what was in the areas. */
  readonly oldElsewhere: readonly string[];
  /** The new server answers: forgets the way back. The old data stays where it is. */
  confirm(): Promise<void>;
  /** Takes the restored data out again and puts the old data back. The server must be stopped. */
  rollBack(options: { signal: AbortSignal }): Promise<void>;
}

/**
 * Moves a prepared directory into place by renames only. When it returns, all is in place and durable; when it throws, the
 * target is as it was, or the message names the journal with which `recoverPlacement` goes on.
 *
 * @throws Conflict `server-running`, `target-not-empty`, `old-not-empty`, `tablespaces-made`
 * @throws Failure `placement-unfinished`: it could not be undone; the next restore into the target ends it first
 * @throws PermanentFailure `other-file-system`, `guard-unknown`, `guard-file-missing`
 */
export async function placeRestored(options: PlaceOptions): Promise<Placement> {
  const tools = toTools(options);
  await refuseRunning(options.target, tools);
  await endEarlier(options, tools);
  const names = (await namesIn(options.target)).filter((name) => isDatabaseEntry(name));
  if (names.length > 0 && options.old === undefined) throw notEmpty(options.target, names);
  const isWhole = names.length === 0 && dirname(options.prepared) !== options.target;
  if (isWhole && (options.areas ?? []).length === 0) return placeWhole(options, tools);
  return placeEntries(options, tools, names);
}

/**
 * Ends what a killed process left of one placement, if it left anything; others beside it may be under way. One that had only
 * closed the data directory to servers goes back, every other one goes on in its direction.
 * @returns what is in place and waits to be confirmed
 */
export async function recoverPlacement(
  which: Pick<PlaceOptions, 'id' | 'prepared' | 'target'>,
  options: RecoverOptions,
): Promise<Placement | undefined> {
  const tools = toTools(options);
  if (!(await isThere(journalPath(which)))) return undefined;
  const found = await readJournal(journalPath(which));
  if (found.target !== which.target) return undefined;
  const journal = found.direction === 'in' && found.phase === 'guarding' ? turnBack(found) : found;
  const end = await exchange(journal, exchangeOptions(journal, tools, options.signal));
  if (end.phase === 'placed') return toPlacement(end, tools);
  await forget(end, tools);
  return undefined;
}

interface Tools {
  readonly files: PlacementFiles;
  readonly findServer: (directory: string) => Promise<ServerProcess | undefined>;
}

function toTools(options: RecoverOptions): Tools {
  return { files: options.files ?? systemFiles, findServer: options.findServer ?? findServerUsing };
}

/** One rename: no server can find anything between nothing and all. */
async function placeWhole({ prepared, target, signal }: PlaceOptions, { files }: Tools): Promise<Placement> {
  signal.throwIfAborted();
  const wasThere = await isThere(target);
  try {
    await files.rename(prepared, target);
  } catch (error) {
    throw cannotMove(prepared, target, error);
  }
  for (const directory of new Set([dirname(target), dirname(prepared)])) await files.syncDirectory(directory);
  return {
    target,
    old: undefined,
    oldElsewhere: [],
    confirm: async () => {},
    rollBack: async () => {
      await files.rename(target, prepared);
      if (wasThere) await files.makeDirectory(target);
      await files.syncDirectory(dirname(target));
    },
  };
}

async function placeEntries(options: PlaceOptions, tools: Tools, oldNames: string[]): Promise<Placement> {
  const { files } = tools;
  const old = options.old ?? join(dirname(options.prepared), `.holdfast-old-${options.id}`);
  const journal = await planEntries({ ...options, old }, oldNames);
  await openOld(journal, files);
  await writeJournal(journal, files);
  try {
    await probeRenames(journal, files);
    return toPlacement(await exchange(journal, exchangeOptions(journal, tools, options.signal)), tools);
  } catch (error) {
    await revert(journal, tools, error);
    throw error;
  }
}

/** The way back after a failure; if that fails too, the journal stays and the first error says so. */
async function revert(journal: Journal, tools: Tools, cause: unknown): Promise<void> {
  try {
    const reached = await readJournal(journalPath(journal));
    if (reached.phase === 'placed') return;
    const back = turnBack(reached);
    await writeJournal(back, tools.files);
    // Not the caller's signal: it may be what ended the way in.
    const end = await exchange(back, exchangeOptions(back, tools, new AbortController().signal));
    await forget(end, tools);
  } catch (error) {
    throw new Failure(
      'placement-unfinished',
      `Cannot put the old data back into ${journal.target} as a step failed: see ${journalPath(journal)}`,
      {
        cause: new AggregateError([cause, error]),
        nextStep: `Remove the cause and run the restore again: it first ends what is described there. The old data is in ${journal.old} and ${journal.target}.`,
      },
    );
  }
}

function toPlacement(journal: Journal, tools: Tools): Placement {
  return {
    target: journal.target,
    old: journal.oldNames.length > 0 ? journal.old : undefined,
    oldElsewhere: journal.areas.filter(({ oldNames }) => oldNames.length > 0).map(({ old }) => old),
    confirm: () => forget(journal, tools),
    rollBack: async ({ signal }) => {
      await refuseRunning(journal.target, tools);
      await rollBack(journal, exchangeOptions(journal, tools, signal));
      await forget(journal, tools);
    },
  };
}

async function rollBack(placed: Journal, options: ExchangeOptions): Promise<void> {
  const back = turnBack(placed);
  await writeJournal(back, options.files);
  try {
    await exchange(back, options);
  } catch (error) {
    const reached = await readJournal(journalPath(back));
    // A server was started meanwhile: nothing but stand-ins has moved, so it gets its own files again.
    if (reached.phase === 'guarding') await exchange({ ...placed, phase: 'releasing' }, options);
    throw error;
  }
}

/** Nothing is left to go on with or to go back to. */
async function forget(journal: Journal, { files }: Tools): Promise<void> {
  const { id, target, prepared, old, areas } = journal;
  const directories = [prepared, target, old, ...areas.flatMap((area) => [area.prepared, area.directory, area.old])];
  const probes = directories.map((directory) => join(directory, probeName(id)));
  const unfinished = [...journal.guardFiles.map((name) => join(target, name)), journalPath(journal), ...probes].map(
    temporaryFor,
  );
  for (const path of [...probes, ...unfinished]) if (await isThere(path)) await files.unlink(path);
  await files.removeIfEmpty(old);
  await removeJournal(journal, files);
  // Last, as a journal is not gone on with where these are missing.
  for (const area of areas) for (const path of [area.prepared, area.old]) await files.removeIfEmpty(path);
}

function exchangeOptions(journal: Journal, tools: Tools, signal: AbortSignal): ExchangeOptions {
  return { files: tools.files, signal, checkDown: () => refuseRunning(journal.target, tools) };
}

async function refuseRunning(target: string, { findServer }: Tools): Promise<void> {
  const server = await findServer(target);
  if (server === undefined) return;
  throw new Conflict(
    'server-running',
    `Cannot touch ${target} as a running server uses it: process ${server.pid} (${server.command}) has ${server.path} open`,
    {
      nextStep: 'Stop that server, or restore into another directory.',
    },
  );
}

/**
 * Ends earlier restores into the same target: one that was all in is taken as confirmed, as someone now asks to replace it;
 * any other goes back.
 */
async function endEarlier({ prepared, target, signal }: PlaceOptions, tools: Tools): Promise<void> {
  const paths = [...(await findJournals(dirname(prepared))), ...(await findJournals(target))];
  for (const path of new Set(paths)) {
    const journal = await readJournal(path);
    if (journal.target !== target) continue;
    const isIn = journal.phase === 'placed' || (journal.phase === 'releasing' && journal.direction === 'in');
    const end = isIn ? journal : turnBack(journal);
    await forget(await exchange(end, exchangeOptions(end, tools, signal)), tools);
  }
}

function notEmpty(target: string, names: readonly string[]): Conflict {
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return new Conflict(
    'target-not-empty',
    `Cannot restore into ${target} as it is not empty: ${names.slice(0, 5).join(', ')}${more}`,
    {
      nextStep: 'Choose an empty directory, or ask for a restore in place of what is there.',
    },
  );
}
