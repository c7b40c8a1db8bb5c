import { basename, join } from 'node:path';

import { Conflict, Failure } from '../lib/failure.ts';
import { owns } from './areas.ts';
import { isMissing, isThere, namesIn, type PlacementFiles, readSmallFile, statIfThere } from './placement-files.ts';
import { type Journal, type JournalArea, type Phase, writeJournal } from './placement-journal.ts';

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
  /** The target comes first, then the areas. */
  readonly places: readonly [Place, ...Place[]];
}

/** A directory whose entries are exchanged. */
interface Place {
  readonly directory: string;
  /** Where what fills it comes from, and where what was in it goes. */
  readonly incoming: string;
  readonly outgoing: string;
  readonly incomingNames: ReadonlySet<string>;
  readonly outgoingNames: ReadonlySet<string>;
  /** Is it an entry that moves, or that a server which was refused may have made? */
  readonly isMovable: (name: string) => boolean;
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
  const { direction, target, guardFiles, areas } = journal;
  const isMovable = (name: string): boolean => isDatabaseEntry(name) && !guardFiles.includes(name);
  const main = toPlace({ ...journal, directory: target }, { direction, isMovable });
  const others = areas.map((area) => toPlace(area, { direction, isMovable: ofArea(area) }));
  return { ...options, journal, places: [main, ...others] };
}

function toPlace(
  { directory, prepared, old, newNames, oldNames }: Omit<JournalArea, 'owned'>,
  { direction, isMovable }: Pick<Journal, 'direction'> & Pick<Place, 'isMovable'>,
): Place {
  const [fresh, former] = [new Set(newNames), new Set(oldNames)];
  return direction === 'in'
    ? { directory, isMovable, incoming: prepared, outgoing: old, incomingNames: fresh, outgoingNames: former }
    : { directory, isMovable, incoming: old, outgoing: prepared, incomingNames: former, outgoingNames: fresh };
}

/** Does what the phase says and answers the one that follows, undefined after the last. */
async function runPhase(step: Step): Promise<Phase | undefined> {
  await requireAreas(step.journal);
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

/**
 * After a crash the file system of an area may not be mounted yet: nothing would be found to move, and the server would be
 * released to half its data.
 */
async function requireAreas({ phase, areas }: Journal): Promise<void> {
  if (phase === 'placed' || phase === 'reverted') return;
  for (const path of areas.flatMap(({ prepared, old }) => [prepared, old])) {
    if (await isThere(path)) continue;
    throw new Failure('placement-unfinished', `Cannot go on with moving files as a directory is gone: ${path}`, {
      nextStep: `Mount what holds ${path}, and run the restore again or start the agent again: it goes on from there.`,
    });
  }
}

/** The link comes before the rename, so there is no instant without either the guard file or its stand-in. */
async function putStandIns({ journal, places: [{ outgoing }], files, signal }: Step): Promise<void> {
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

async function clear({ places, files, signal }: Step): Promise<void> {
  for (const place of places) {
    const { directory, outgoing, outgoingNames } = place;
    for (const name of await movableNames(place)) {
      signal.throwIfAborted();
      const isExpected = outgoingNames.has(name) && !(await isThere(join(outgoing, name)));
      await (isExpected
        ? files.rename(join(directory, name), join(outgoing, name))
        : moveStray(place, { name, files }));
    }
    await syncAll(place, files);
  }
}

async function fill({ places, files, signal }: Step): Promise<void> {
  for (const place of places) {
    const { directory, incoming, incomingNames } = place;
    for (const name of incomingNames) {
      signal.throwIfAborted();
      if (!place.isMovable(name) || !(await isThere(join(incoming, name)))) continue;
      if (await isThere(join(directory, name))) await moveStray(place, { name, files });
      await files.rename(join(incoming, name), join(directory, name));
    }
    for (const name of await movableNames(place)) if (!incomingNames.has(name)) await moveStray(place, { name, files });
    await syncAll(place, files);
  }
}

/** Not cancellable: from here on forward is the shortest way to a server that can start. */
async function release(step: Step): Promise<void> {
  const {
    journal,
    files,
    places: [{ incoming, outgoing }],
  } = step;
  for (const name of journal.guardFiles.toReversed()) {
    await releaseOne(step, join(incoming, name), join(journal.target, name));
    await files.syncDirectory(journal.target);
  }
  await files.syncDirectory(incoming);
  await files.syncDirectory(outgoing);
}

async function releaseOne({ places: [{ incomingNames }], files }: Step, from: string, to: string): Promise<void> {
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
async function moveStray(
  { directory, outgoing }: Place,
  { name, files }: { readonly name: string; readonly files: PlacementFiles },
): Promise<void> {
  const strays = join(outgoing, '.holdfast-strays');
  if (!(await isThere(strays))) await files.makeDirectory(strays);
  const taken = await namesIn(strays);
  await files.rename(join(directory, name), join(strays, `${taken.length}-${name}`));
}

async function movableNames({ directory, isMovable }: Place): Promise<string[]> {
  return (await namesIn(directory)).filter((name) => isMovable(name));
}

/** A shared directory holds files of others, too. */
function ofArea({ owned, oldNames, newNames }: JournalArea): Place['isMovable'] {
  const listed = new Set([...oldNames, ...newNames]);
  return (name) => owns(owned, name) || listed.has(name);
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

async function syncAll({ directory, incoming, outgoing }: Place, files: PlacementFiles): Promise<void> {
  for (const each of [incoming, outgoing, directory]) await files.syncDirectory(each);
}
