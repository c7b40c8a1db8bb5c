import { dirname, join } from 'node:path';

import { Conflict, Failure, PermanentFailure } from '../lib/failure.ts';
import { type Area, type AreaPaths, linkedInto, owns } from './areas.ts';
import type { Guard } from './guards.ts';
import { isDatabaseEntry } from './placement-exchange.ts';
import { hasCode, isThere, namesIn, type PlacementFiles, statIfThere } from './placement-files.ts';
import type { Journal, JournalArea } from './placement-journal.ts';
import { refuseNewTablespaces, type Watched } from './mysql-tablespaces.ts';
import { findTableLinks, type TableLink } from './table-links.ts';

/** A directory outside the target, and what was prepared for it. */
export type PreparedArea = Area & AreaPaths;

interface PlanOptions {
  readonly id: string;
  readonly prepared: string;
  readonly target: string;
  readonly old: string;
  readonly guard?: Guard;
  readonly areas?: readonly PreparedArea[];
  readonly watched?: readonly Watched[];
}

/** Everything that can be refused before anything is touched, and the lists of what moves. */
export async function planEntries(options: PlanOptions, oldNames: string[]): Promise<Journal> {
  const { id, prepared, target, old, guard, areas = [], watched = [] } = options;
  if (guard === undefined) {
    throw new PermanentFailure(
      'guard-unknown',
      `Cannot move files into ${target} one by one as no guard is known for its server`,
    );
  }
  const newNames = (await namesIn(prepared)).filter((name) => isDatabaseEntry(name));
  const missing = guard.files.filter((name) => !newNames.includes(name));
  if (missing.length > 0) {
    throw new PermanentFailure(
      'guard-file-missing',
      `Cannot restore in place as ${prepared} lacks what every server of its kind has: ${missing.join(', ')}`,
    );
  }
  const owner = await statIfThere(target);
  if (owner === undefined)
    throw new Conflict('target-missing', `Cannot move files into ${target} as it is not there any more`);
  await refuseNewTablespaces(watched, { target, areas: areas.map(({ directory }) => directory) });
  await requireOneFileSystem(
    [target, prepared, dirname(old)],
    [...oldNames.map((name) => join(target, name)), ...newNames.map((name) => join(prepared, name))],
  );
  return {
    version: areas.length > 0 ? 2 : 1,
    id,
    direction: 'in',
    phase: 'guarding',
    target,
    prepared,
    old,
    guardFiles: [...guard.files],
    owner: { uid: Number(owner.uid), gid: Number(owner.gid) },
    oldNames,
    newNames,
    areas: await planAreas(target, areas),
  };
}

/** What there is to set aside is looked up now that the server is down: until then it may have made more. */
async function planAreas(target: string, areas: readonly PreparedArea[]): Promise<JournalArea[]> {
  if (areas.length === 0) return [];
  const links = await findTableLinks(target);
  const planned: JournalArea[] = [];
  for (const area of areas) planned.push(await planArea(area, links));
  return planned;
}

async function planArea(area: PreparedArea, links: readonly TableLink[]): Promise<JournalArea> {
  const { directory, prepared, owned } = area;
  const tables = new Set(linkedInto(area, links).map(({ table }) => `${table}.ibd`));
  const present = await namesIn(directory);
  const oldNames = present.filter((name) => owns(owned, name) || tables.has(name));
  const newNames = await namesIn(prepared);
  const foreign = newNames.filter((name) => present.includes(name) && !oldNames.includes(name));
  if (foreign.length > 0) throw nameTaken(directory, foreign);
  await requireOneFileSystem(
    [directory, prepared],
    oldNames.map((name) => join(directory, name)),
  );
  return { ...area, owned: [...owned], oldNames, newNames };
}

function nameTaken(directory: string, names: readonly string[]): Conflict {
  return new Conflict(
    'name-taken',
    `Cannot put restored files into ${directory} as others are there that do not belong to the server: ${names.slice(0, 5).join(', ')}`,
    { nextStep: 'Find out whose they are, move them away, and run the restore again.' },
  );
}

async function requireOneFileSystem(directories: readonly string[], entries: readonly string[]): Promise<void> {
  const devices = new Map<string, number | bigint | undefined>();
  for (const path of [...directories, ...entries]) devices.set(path, (await statIfThere(path))?.dev);
  const [first] = directories.map((path) => devices.get(path));
  const other = [...devices].find(([, device]) => device !== first);
  if (other !== undefined) throw otherFileSystem(other[0], directories[0] ?? '', undefined);
}

/** Makes the directories for the old data; where one holds something, none is made. */
export async function openOld(journal: Journal, files: PlacementFiles): Promise<void> {
  const places = [journal, ...journal.areas].map(({ old }) => old);
  for (const old of places) {
    const names = await namesIn(old);
    if (names.length > 0)
      throw new Conflict(
        'old-not-empty',
        `Cannot put the old data into ${old} as it is not empty: ${names.slice(0, 5).join(', ')}`,
      );
  }
  for (const old of places) if (!(await isThere(old))) await files.makeDirectory(old);
}

/** Two mounts of one file system look alike and refuse renames between them, so one is tried before anything is touched. */
export async function probeRenames(journal: Journal, files: PlacementFiles): Promise<void> {
  const { prepared, target, old, id } = journal;
  await probe([prepared, target, old], { id, files });
  for (const area of journal.areas) await probe([area.prepared, area.directory, area.old], { id, files });
}

async function probe(
  [prepared = '', target = '', old = '']: readonly string[],
  { id, files }: { readonly id: string; readonly files: PlacementFiles },
): Promise<void> {
  let at = join(prepared, probeName(id));
  await files.writeDurably(at, '');
  try {
    for (const next of [target, old].map((directory) => join(directory, probeName(id)))) {
      await files.rename(at, next);
      at = next;
    }
  } catch (error) {
    throw cannotMove(prepared, target, error);
  } finally {
    await files.unlink(at);
  }
}

/** The file that is renamed to try it. */
export function probeName(id: string): string {
  return `.holdfast-probe-${id}`;
}

/** A refused rename as the person reading it needs it. */
export function cannotMove(prepared: string, target: string, error: unknown): Failure {
  if (hasCode(error, 'EXDEV') || hasCode(error, 'EBUSY')) return otherFileSystem(target, prepared, error);
  return new Failure(
    'placement-failed',
    `Cannot move ${prepared} to ${target} as the system refuses it: ${error instanceof Error ? error.message : 'unknown'}`,
    { cause: error },
  );
}

function otherFileSystem(path: string, than: string, cause: unknown): PermanentFailure {
  return new PermanentFailure(
    'other-file-system',
    `Cannot move the restored data by renaming as ${path} is not in the same mounted file system as ${than}`,
    {
      cause,
      nextStep:
        'A restore in place needs the whole data directory in one file system, with no other one mounted below it.',
    },
  );
}
