import { basename, join } from 'node:path';

import { Conflict } from '../lib/failure.ts';
import { isMissing, isThere, namesIn, type PlacementFiles, readSmallFile, statIfThere } from './placement-files.ts';
import { type Journal, type Phase, writeJournal } from './placement-journal.ts';

/** What a server finds where a guard file belongs. Shorter than any real one can be. */
const standIn = 'holdfast stand-in\n';

export interface ExchangeOptions {
  readonly files: PlacementFiles;
  readonly signal: AbortSignal;
  /** Called once the stand-ins are in, when no server can start any more: throws if one runs all the same. */
  readonly checkDown: () => Promise<void>;
}

interface Step extends ExchangeOptions {
  readonly journal: Journal;
  /** Where what fills the target comes from, and where what was in it goes. */
  readonly incoming: string;
  readonly outgoing: string;
  readonly incomingNames: ReadonlySet<string>;
  readonly outgoingNames: ReadonlySet<string>;
}

/**
 * Runs a placement from the phase its journal is in to the end. Every phase may be repeated from its beginning: what is
 * already where it belongs is left alone, so a process killed at any point is followed by another call.
 */
export async function exchange(start: Journal, options: ExchangeOptions): Promise<Journal> {
  let journal = start;
  for (;;) {
    const next = await runPhase(toStep(journal, options));
    if (next === undefined) return journal;
    journal = { ...journal, phase: next };
    await writeJournal(journal, options.files);
  }
}

/** The journal of the way back from wherever this one is. */
export function turnBack(journal: Journal): Journal {
  if (journal.direction === 'back') return journal;
  // Before the first restored file moved in, the target holds nothing but old files: there is nothing to clear.
  const isOldData = journal.phase === 'guarding' || journal.phase === 'clearing';
  return { ...journal, direction: 'back', phase: isOldData ? 'filling' : 'guarding' };
}

function toStep(journal: Journal, options: ExchangeOptions): Step {
  const names = { new: new Set(journal.newNames), old: new Set(journal.oldNames) };
  return journal.direction === 'in'
    ? {
        ...options,
        journal,
        incoming: journal.prepared,
        outgoing: journal.old,
        incomingNames: names.new,
        outgoingNames: names.old,
      }
    : {
        ...options,
        journal,
        incoming: journal.old,
        outgoing: journal.prepared,
        incomingNames: names.old,
        outgoingNames: names.new,
      };
}

/** Does what the phase says and answers the one that follows, undefined after the last. */
async function runPhase(step: Step): Promise<Phase | undefined> {
  switch (step.journal.phase) {
    case 'guarding':
      await putStandIns(step);
      await step.checkDown();
      return 'clearing';
    case 'clearing':
      await clear(step);
      return 'filling';
    case 'filling':
      await fill(step);
      return 'releasing';
    case 'releasing':
      await release(step);
      return step.journal.direction === 'in' ? 'placed' : 'reverted';
    case 'placed':
    case 'reverted':
      return undefined;
  }
}

/** The link comes before the rename, so there is no instant without either the guard file or its stand-in. */
async function putStandIns({ journal, outgoing, files, signal }: Step): Promise<void> {
  for (const name of journal.guardFiles) {
    signal.throwIfAborted();
    const path = join(journal.target, name);
    if (await isStandIn(path)) continue;
    if (await isThere(path)) await linkOnce(path, join(outgoing, name), files);
    await files.syncDirectory(outgoing);
    await files.writeDurably(path, standIn, journal.owner);
  }
}

async function linkOnce(path: string, copy: string, files: PlacementFiles): Promise<void> {
  const [original, present] = [await statIfThere(path), await statIfThere(copy)];
  if (present === undefined) return files.link(path, copy);
  if (present.ino === original?.ino) return;
  throw new Conflict('placement-disturbed', `Cannot put ${path} aside as something else is in its place: ${copy}`, {
    nextStep: 'Find out what changed the data directory during the restore, and move that file away.',
  });
}

async function clear(step: Step): Promise<void> {
  const { journal, outgoing, outgoingNames, files, signal } = step;
  for (const name of await movableNames(journal)) {
    signal.throwIfAborted();
    const isExpected = outgoingNames.has(name) && !(await isThere(join(outgoing, name)));
    await (isExpected ? files.rename(join(journal.target, name), join(outgoing, name)) : moveStray(step, name));
  }
  await syncAll(step);
}

async function fill(step: Step): Promise<void> {
  const { journal, incoming, incomingNames, files, signal } = step;
  for (const name of incomingNames) {
    signal.throwIfAborted();
    if (journal.guardFiles.includes(name) || !(await isThere(join(incoming, name)))) continue;
    if (await isThere(join(journal.target, name))) await moveStray(step, name);
    await files.rename(join(incoming, name), join(journal.target, name));
  }
  for (const name of await movableNames(journal)) if (!incomingNames.has(name)) await moveStray(step, name);
  await syncAll(step);
}

/** Not cancellable: from here on forward is the shortest way to a server that can start. */
async function release(step: Step): Promise<void> {
  const { journal, incoming, outgoing, files } = step;
  for (const name of journal.guardFiles.toReversed()) {
    await releaseOne(step, join(incoming, name), join(journal.target, name));
    await files.syncDirectory(journal.target);
  }
  await files.syncDirectory(incoming);
  await files.syncDirectory(outgoing);
}

async function releaseOne({ incomingNames, files }: Step, from: string, to: string): Promise<void> {
  if (await isThere(from)) {
    await files.rename(from, to);
    // A rename onto another link of the same file leaves both names.
    return unlinkIfThere(from, files);
  }
  if (!(await isStandIn(to))) return;
  if (!incomingNames.has(basename(to))) return files.unlink(to);
  throw new Conflict('placement-disturbed', `Cannot release the data directory as its guard file is gone: ${from}`, {
    nextStep:
      'Find out what removed that file during the restore; the data directory stays closed to servers until it is back.',
  });
}

/** What a server that was started and refused has left: never the old data, never the restored, kept all the same. */
async function moveStray({ journal, outgoing, files }: Step, name: string): Promise<void> {
  const strays = join(outgoing, '.holdfast-strays');
  if (!(await isThere(strays))) await files.makeDirectory(strays);
  const taken = await namesIn(strays);
  await files.rename(join(journal.target, name), join(strays, `${taken.length}-${name}`));
}

/** Entries of the target that are neither ours, nor guard files, nor the file system's. */
async function movableNames(journal: Journal): Promise<string[]> {
  const names = await namesIn(journal.target);
  return names.filter((name) => isDatabaseEntry(name) && !journal.guardFiles.includes(name));
}

/** Everything but what belongs to Holdfast and to the file system itself. */
export function isDatabaseEntry(name: string): boolean {
  return !name.startsWith('.holdfast-') && name !== 'lost+found';
}

export async function isStandIn(path: string): Promise<boolean> {
  return (await readSmallFile(path, standIn.length)) === standIn;
}

async function unlinkIfThere(path: string, files: PlacementFiles): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function syncAll({ journal, incoming, outgoing, files }: Step): Promise<void> {
  for (const directory of [incoming, outgoing, journal.target]) await files.syncDirectory(directory);
}
