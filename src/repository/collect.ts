import { begunKey, parseNoteKey, parseSegmentName, sealKey, segmentOfKey } from './names.ts';

/** Everything that deciding what may go needs. Times are the store's, in milliseconds. */
export interface CollectionFacts {
  /** The store's time now: that of an object just written. */
  readonly now: number;
  /** Does the store keep "if absent"? Where it does not, a second attempt may overwrite the seal of the first. */
  readonly conditionalPut: boolean;
  /** `begun/`: when each attempt to make a backup began. */
  readonly begun: ReadonlyMap<string, readonly BegunAttempt[]>;
  /** `deleted/`: when each backup was marked. */
  readonly deleted: ReadonlyMap<string, number>;
  /** How each backup that has begun or has a seal was settled, read from the object itself, and when. */
  readonly settled: ReadonlyMap<string, SettledBackup>;
  /** The segments that each sealed backup's table names. All sealed backups that are not dead must be here. */
  readonly tables: ReadonlyMap<string, readonly string[]>;
  /** Every object below `backups/` and `notes/`, by key, with its size. */
  readonly objects: ReadonlyMap<string, number>;
}

export interface BegunAttempt {
  readonly attempt: string;
  readonly at: number;
}

export interface SettledBackup {
  readonly state: 'sealed' | 'void';
  readonly at: number;
  /** The attempt that sealed it; undefined where the seal cannot be read. */
  readonly attempt?: string | undefined;
}

export interface Removal {
  readonly key: string;
  readonly reason: string;
}

export interface Collected {
  /** Data, then what says that an attempt began, then seals: each kind must be gone before the next one goes. */
  readonly steps: readonly (readonly Removal[])[];
  /** All of them, in that order. */
  readonly remove: readonly Removal[];
  readonly bytes: number;
  /** Why backups that are deleted or void keep their data for now. */
  readonly waiting: readonly { readonly backup: string; readonly reason: string }[];
}

/** A restore that is under way when its backup is deleted has this long. */
export const GRACE_MS = 24 * 3600_000;
/** Where the store ignores "if absent", nothing keeps a paused attempt from sealing but time. */
export const ABANDON_AFTER_MS = 7 * 24 * 3600_000;
/** Time stamps of one store may differ by this much between its machines. */
const SKEW_MS = 3600_000;
const DEAD = 'dead';
const ALIVE = 'alive';

type FactsBeforeTables = Omit<CollectionFacts, 'tables'>;

/** Sealed backups whose tables must be read: the dead ones protect nothing any more. */
export function tablesNeeded(facts: FactsBeforeTables): string[] {
  const sealed = [...facts.settled].filter(([, { state }]) => state === 'sealed');
  return sealed.filter(([backup]) => deadness(facts, backup) !== DEAD).map(([backup]) => backup);
}

/**
 * Decides what a collection removes.
 *
 * A backup is dead when it has been deleted or void for 24 hours and no backup that began before that can still be
 * sealed: it may lean on the dead one. A segment goes when its own backup is dead and no sealed backup that is not dead
 * names it. What hides a backup (its mark, or its void seal) stays for ever: a writer that was paused for weeks finds it.
 */
export function collect(facts: CollectionFacts): Collected {
  const protectedSegments = new Set(
    tablesNeeded(facts).flatMap((backup) => facts.tables.get(backup) ?? noTable(backup)),
  );
  const states = new Map([...knownBackups(facts)].map((backup) => [backup, deadness(facts, backup)]));
  const isDead = (backup: string | undefined): boolean => backup !== undefined && states.get(backup) === DEAD;
  const dead = [...facts.objects.keys()].filter((key) => isDead(ownerOf(key)));
  const needed = dead.filter((key) => protectedSegments.has(segmentOfKey(key) ?? ''));
  const shared = new Set(needed.map((key) => ownerOf(key)));
  const isNeeded = (key: string): boolean =>
    protectedSegments.has(segmentOfKey(key) ?? '') || (isBadSegmentNote(key) && shared.has(ownerOf(key)));
  const data = dead.filter((key) => !isNeeded(key));
  const left = new Set(dead.map((key) => ownerOf(key)));
  const empty = [...states].filter(([backup, state]) => state === DEAD && !left.has(backup)).map(([backup]) => backup);
  const steps = [
    data.map((key) => ({ key, reason: `backup ${ownerOf(key)} is ${stateOf(facts, ownerOf(key))}` })),
    empty.flatMap((backup) => begunObjects(facts, backup)),
    empty.flatMap((backup) => sealObjects(facts, backup)),
  ];
  const waiting = [...states]
    .filter(([, state]) => state !== DEAD && state !== ALIVE)
    .map(([backup, reason]) => ({ backup, reason }));
  const bytes = data.reduce((sum, key) => sum + (facts.objects.get(key) ?? 0), 0);
  return { steps, remove: steps.flat(), bytes, waiting };
}

/** `alive`, `dead`, or why it is not dead yet. */
function deadness(facts: FactsBeforeTables, backup: string): string {
  const gone = goneSince(facts, backup);
  if (gone === undefined) return ALIVE;
  if (facts.now - gone < GRACE_MS) return 'its 24 hours are not over';
  for (const [other, attempts] of facts.begun) {
    if (other === backup) continue;
    const before = attempts.filter(({ at }) => at <= gone + SKEW_MS);
    if (before.some((attempt) => canStillSeal(facts, other, attempt))) {
      return `backup ${other} began before and is not settled`;
    }
  }
  return DEAD;
}

/** Since when a backup is deleted or void. A mark is enough: whoever seals it later finds the mark and gives up. */
function goneSince({ settled, deleted }: FactsBeforeTables, backup: string): number | undefined {
  const seal = settled.get(backup);
  const times = [deleted.get(backup), seal?.state === 'void' ? seal.at : undefined].filter(
    (time) => time !== undefined,
  );
  return times.length === 0 ? undefined : Math.min(...times);
}

function canStillSeal(facts: FactsBeforeTables, backup: string, { attempt, at }: BegunAttempt): boolean {
  if (facts.deleted.has(backup)) return false;
  const seal = facts.settled.get(backup);
  if (seal === undefined) return true;
  if (seal.state === 'void' || facts.conditionalPut || seal.attempt === attempt) return false;
  return facts.now - at < ABANDON_AFTER_MS;
}

function knownBackups(facts: CollectionFacts): Set<string> {
  const owners = [...facts.objects.keys()].map((key) => ownerOf(key)).filter((owner) => owner !== undefined);
  return new Set([...facts.begun.keys(), ...facts.settled.keys(), ...facts.deleted.keys(), ...owners]);
}

function begunObjects(facts: CollectionFacts, backup: string): Removal[] {
  const attempts = facts.begun.get(backup) ?? [];
  return attempts.map(({ attempt }) => ({
    key: begunKey({ backup, attempt }),
    reason: `nothing is left of backup ${backup}`,
  }));
}

/** Only where a mark stays: one of the two must for ever tell a late writer that the place is taken. */
function sealObjects(facts: CollectionFacts, backup: string): Removal[] {
  if (facts.settled.get(backup)?.state !== 'sealed' || !facts.deleted.has(backup)) return [];
  return [{ key: sealKey(backup), reason: `nothing is left of backup ${backup}` }];
}

function stateOf(facts: CollectionFacts, backup: string | undefined): string {
  return facts.settled.get(backup ?? '')?.state === 'void' ? 'void' : 'deleted';
}

function isBadSegmentNote(key: string): boolean {
  return parseNoteKey(key)?.kind === 'bad-segment';
}

/** @returns the backup whose data or note this is. */
export function ownerOf(key: string): string | undefined {
  const note = parseNoteKey(key);
  if (note) return note.backup;
  const segment = segmentOfKey(key);
  if (segment !== undefined) return parseSegmentName(segment)?.backup;
  return /^backups\/([^/]+)\//.exec(key)?.[1];
}

function noTable(backup: string): never {
  throw new RangeError(`the table of backup ${backup} was not read`);
}
