import { rm, rmdir } from 'node:fs/promises';
import type { Finding } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import { Conflict, Failure, PermanentFailure } from '../lib/failure.ts';
import type { Sealed } from '../repository/documents.ts';
import { guardFor } from './guards.ts';
import type { Lineages } from './lineage.ts';
import { needsPerson } from './needs-person.ts';
import { giveTo, type Ownership, ownershipOf } from './ownership.ts';
import { type Placement, placeRestored } from './placement.ts';
import { type DoneStep, prepareRestore, type PrepareRestoreOptions, Steps } from './prepare-restore.ts';
import { replaceData } from './replace-data.ts';
import { areasOf, watchedOf } from './data-outside.ts';
import type { PreparedArea } from './placement-plan.ts';
import { choosePrepared, preflightRestore, type RestoreWish } from './restore-preflight.ts';
import { type RestoredServer, settleServer } from './restored-server.ts';
import type { ControlOptions, ServerControlConfig } from './server-control.ts';
import { serverOf } from './sealed-server.ts';
import { forgetSpread, removeSpread, spreadAreas } from './spread-areas.ts';
import type { TableLink } from './table-links.ts';

export interface RestoreTarget {
  /** Absolute; a data directory when `inPlace`. */
  readonly directory: string;
  /** What is there is moved aside and kept. Without it the directory must be absent or empty. */
  readonly inPlace?: InPlace;
  /** What its server is and does when it starts. */
  readonly server?: RestoredServer;
  /** Of the restored files, where the target does not tell; the running user's when absent. */
  readonly ownership?: Ownership;
  /** The user of a server beside, to whom this process may not give the files. */
  readonly serverUser?: number;
}

export interface InPlace {
  /** The server that will use the directory, as it said of itself before. */
  readonly server: RestoreWish['server'];
  /** What of its data lies elsewhere; undefined where nobody could say. */
  readonly outside?: RestoreWish['outside'];
  /** Tables of the server that are in no backup may be missing afterwards. */
  readonly acceptsMissingTables?: boolean;
  /** How to stop and start it; undefined when a person has stopped it. */
  readonly control?: {
    readonly config: ServerControlConfig;
    readonly options: Omit<ControlOptions, 'dataDirectory' | 'signal'>;
  };
}

export interface RestoreBackupOptions extends PrepareRestoreOptions {
  /** Names the directory beside the target and the journal: letters, digits, hyphens. */
  readonly id: string;
  readonly lineages: Lineages;
}

export interface RestoreResult {
  readonly directory: string;
  /** Holds what was there before. */
  readonly old: string | undefined;
  /** What else belongs to the old data now, in directories outside that one. */
  readonly oldElsewhere: readonly string[];
  readonly steps: readonly DoneStep[];
}

/** Go or no-go before anything is touched. */
export async function checkRestore(
  sealed: Sealed,
  target: RestoreTarget,
  tool: RestoreWish['tool'],
): Promise<readonly Finding[]> {
  const { directory, inPlace } = target;
  return preflightRestore({
    target: directory,
    isInPlace: inPlace !== undefined,
    neededBytes: sealed.logicalBytes,
    backup: { ...serverOf(sealed), engine: sealed.source.engine },
    server: inPlace?.server,
    tool,
    canStop: inPlace?.control !== undefined,
    outside: inPlace?.outside,
    acceptsMissingTables: inPlace?.acceptsMissingTables ?? false,
    starts: target.server ?? {},
    serverUser: target.serverUser,
  });
}

/**
 * Restores a backup into a directory. Everything is downloaded, verified and prepared beside the target before a server is
 * stopped or a file of the target is moved; what fails before that leaves nothing behind.
 */
export async function restoreBackup(
  sealed: Sealed,
  target: RestoreTarget,
  options: RestoreBackupOptions,
): Promise<RestoreResult> {
  const { engine, signal, id } = options;
  refuse(await checkRestore(sealed, target, engine), target.directory);
  const steps = new Steps(options);
  const prepared = await choosePrepared(target.directory, id);
  const ownership = target.ownership ?? (await ownershipOf(target.directory));
  try {
    const restored = await prepareRestore(sealed, prepared, options);
    await settle(sealed, target, { prepared, clock: options.clock });
    const areas = await spread({ sealed, target, prepared, steps }, restored.links, options);
    const all = [prepared, ...areas.map((area) => area.prepared)];
    if (ownership) await steps.run('ownership', async () => giveAll(all, { ownership, signal }));
    const old = await place({ sealed, target, prepared, steps, areas }, options);
    // Where entries moved in one by one, the directory that held them is left, empty.
    await rmdir(prepared).catch(() => undefined);
    await forgetSpread(prepared);
    await adopt(target.directory, sealed, options);
    return { directory: target.directory, ...old, steps: [...restored.steps, ...steps.done] };
  } catch (error) {
    if (isKeptForPeople(error)) await forgetSpread(prepared);
    else await clear(prepared, id);
    throw error;
  }
}

/** Only a hint, and not before the data is there: what is restored is good without it. */
async function adopt(directory: string, sealed: Sealed, { lineages, onLog }: RestoreBackupOptions): Promise<void> {
  try {
    await lineages.adopt(directory, sealed.source.lineage);
  } catch (error) {
    onLog(
      `holdfast: Cannot record which backups ${directory} goes on with, so its next backup may take as long as a first one: ${String(error)}`,
    );
  }
}

async function clear(prepared: string, id: string): Promise<void> {
  await removeSpread(prepared, id);
  await rm(prepared, { recursive: true, force: true });
}

async function settle(
  sealed: Sealed,
  { server: wish, inPlace, directory }: RestoreTarget,
  { prepared, clock }: { readonly prepared: string; readonly clock: Clock },
): Promise<void> {
  if (wish === undefined) return;
  const server = inPlace?.server ?? serverOf(sealed);
  await settleServer(prepared, wish, { server, clock, replaced: inPlace === undefined ? undefined : directory });
}

interface Placing {
  readonly sealed: Sealed;
  readonly target: RestoreTarget;
  readonly prepared: string;
  readonly steps: Steps;
}

/** Brings what belongs into other directories of the server there, if it has any. */
async function spread(
  { target, prepared, steps }: Placing,
  links: readonly TableLink[],
  { id, signal, onLog }: RestoreBackupOptions,
): Promise<readonly PreparedArea[]> {
  const areas = areasOf(target.inPlace?.outside ?? []);
  const work = async (): Promise<readonly PreparedArea[]> =>
    spreadAreas({ prepared, id, target: target.directory, areas, links, signal, onLog });
  return areas.length === 0 ? work() : steps.run('spread', work);
}

async function giveAll(directories: readonly string[], { ownership, signal }: Giving): Promise<void> {
  for (const directory of directories) await giveTo(directory, ownership, { signal });
}

interface Giving {
  readonly ownership: Ownership;
  readonly signal: AbortSignal;
}

type Old = Pick<RestoreResult, 'old' | 'oldElsewhere'>;

async function place(
  { sealed, target, prepared, steps, areas }: Placing & { readonly areas: readonly PreparedArea[] },
  options: RestoreBackupOptions,
): Promise<Old> {
  const { id, signal } = options;
  const base = { id, prepared, target: target.directory };
  if (!target.inPlace) {
    const placement = await steps.run('place', async () => placeRestored({ ...base, signal }));
    await placement.confirm();
    return { old: undefined, oldElsewhere: [] };
  }
  const guard = guardFor(target.inPlace.server ?? serverOf(sealed));
  const inPlace = {
    ...base,
    guard,
    areas,
    watched: watchedOf(target.inPlace.outside ?? []),
    old: `${prepared.replace(/\.holdfast-restore-[^/]*$/, '')}.holdfast-old-${id}`,
  };
  const { control } = target.inPlace;
  if (!control) {
    const placement = await steps.run('place', async () => placeRestored({ ...inPlace, signal }));
    await placement.confirm();
    return oldOf(placement, target.inPlace);
  }
  const replace = { control: control.config, server: control.options, place: inPlace, signal };
  const placement = await steps.runParts(async (onStep) => replaceData({ ...replace, onStep }));
  return oldOf(placement, target.inPlace);
}

/** What symbolic links led to belongs to the old data, too, as they have moved with it. */
function oldOf({ old, oldElsewhere }: Placement, { outside = [] }: InPlace): Old {
  const linked = outside.filter(({ handling }) => handling.kind === 'stay').map(({ path }) => path);
  return { old, oldElsewhere: [...oldElsewhere, ...linked] };
}

function refuse(findings: readonly Finding[], directory: string): void {
  const errors = findings.filter(({ level }) => level === 'error');
  const [first] = errors;
  if (!first) return;
  const details = {
    evidence: errors.map(({ message }) => message),
    ...(first.nextStep === undefined ? {} : { nextStep: first.nextStep }),
  };
  const message = `Cannot restore into ${directory} as the check before found a reason against it: ${first.message}`;
  if (first.code === 'server-running' || first.code === 'target-not-empty')
    throw new Conflict(first.code, message, details);
  throw new PermanentFailure(first.code, message, details);
}

/** Failures whose message tells a person where the prepared files are. */
function isKeptForPeople(error: unknown): boolean {
  return needsPerson(error) || (error instanceof Failure && error.code === 'restored-server-silent');
}
