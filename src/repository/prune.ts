import { randomBytes } from 'node:crypto';
import { mapConcurrently } from '../lib/concurrently.ts';
import { CorruptData, Failure } from '../lib/failure.ts';
import { ObjectNotFound } from '../storage/storage.ts';
import {
  ABANDON_AFTER_MS,
  type BegunAttempt,
  collect,
  type Collected,
  type CollectionFacts,
  type SettledBackup,
  ownerOf,
  tablesNeeded,
} from './collect.ts';
import { IndexReader } from './index-reader.ts';
import { BACKUPS, backupOfKey, BEGUN, DELETED, NOTES, parseBegunKey, SEALS } from './names.ts';
import type { Repository } from './repository.ts';
import { isDeleted, readSettlement, voidBackup } from './settle.ts';

const READS_AT_ONCE = 8;

export interface PruneOptions {
  readonly signal: AbortSignal;
  /** Decide only. */
  readonly isDryRun: boolean;
}

/** Removes what nothing needs any more. A table that cannot be read stops it before anything is removed. */
export async function prune(repository: Repository, { signal, isDryRun }: PruneOptions): Promise<Collected> {
  const decided = collect(await gatherTwice(repository, signal));
  if (isDryRun) return decided;
  // One deletion has no order inside, so each step is one of its own. A run that dies leaves nothing that lies.
  for (const step of decided.steps) {
    if (step.length === 0) continue;
    await repository.storage.delete(
      step.map(({ key }) => key),
      { signal },
    );
  }
  return decided;
}

/** Gives up attempts of which nothing was heard for seven days. @returns their ids. */
export async function voidAbandoned(repository: Repository, signal: AbortSignal): Promise<string[]> {
  const now = await storeNow(repository, signal);
  const begun = await listBegun(repository, signal);
  const given: string[] = [];
  for (const [backup, attempts] of begun) {
    const newest = Math.max(...attempts.map(({ at }) => at));
    if (now - newest < ABANDON_AFTER_MS || (await isSettled(repository, backup, signal))) continue;
    if (now - (await lastSign(repository, backup, signal)) < ABANDON_AFTER_MS) continue;
    await voidBackup(repository, backup, { reason: 'nothing was heard of it for seven days', signal });
    given.push(backup);
  }
  return given;
}

/** A seal that cannot be read is one all the same. */
async function isSettled(repository: Repository, backup: string, signal: AbortSignal): Promise<boolean> {
  return (await readSettlement(repository, backup, signal).catch(asSealed)) !== undefined;
}

/** What was listed may be gone before it is read, as another collection is under way: a fresh list does not have it. */
async function gatherTwice(repository: Repository, signal: AbortSignal): Promise<CollectionFacts> {
  try {
    return await gather(repository, signal);
  } catch (error) {
    if (!(error instanceof Failure && isOfTheMoment(error))) throw error;
    return gather(repository, signal);
  }
}

function isOfTheMoment({ code, cause }: Failure): boolean {
  return code === 'repository-changed' || (code === 'table-unreadable' && cause instanceof ObjectNotFound);
}

async function gather(repository: Repository, signal: AbortSignal): Promise<CollectionFacts> {
  const now = await storeNow(repository, signal);
  const begun = await listBegun(repository, signal);
  const seals = await listTimes(repository, SEALS, signal);
  const deleted = await listTimes(repository, DELETED, signal);
  const objects = new Map<string, number>();
  for (const prefix of [BACKUPS, NOTES]) {
    for await (const { key, size } of repository.storage.list(prefix, { signal })) objects.set(key, size);
  }
  const settled = await readSettlements(repository, { begun, seals, signal });
  const left = new Set([...begun.keys(), ...settled.keys(), ...[...objects.keys()].map((key) => ownerOf(key))]);
  // Where something is left to delete, the mark must be one that was written with the key.
  await mapConcurrently(
    [...deleted.keys()].filter((id) => left.has(id)),
    READS_AT_ONCE,
    async (backup) => {
      if (!(await isDeleted(repository, backup, signal))) deleted.delete(backup);
    },
  );
  const facts = { now, conditionalPut: repository.facts.conditionalPut, begun, deleted, objects, settled };
  return { ...facts, tables: await readTables(repository, tablesNeeded(facts), signal) };
}

async function readSettlements(
  repository: Repository,
  {
    begun,
    seals,
    signal,
  }: { begun: CollectionFacts['begun']; seals: ReadonlyMap<string, number>; signal: AbortSignal },
): Promise<Map<string, SettledBackup>> {
  const settled = new Map<string, SettledBackup>();
  await mapConcurrently(new Set([...begun.keys(), ...seals.keys()]), READS_AT_ONCE, async (backup) => {
    const settlement = await readSettlement(repository, backup, signal).catch(asSealed);
    // A seal that the list does not show yet was stored just now.
    const at = seals.get(backup) ?? Number.POSITIVE_INFINITY;
    if (settlement?.state === 'void') settled.set(backup, { state: 'void', at });
    if (settlement?.state === 'sealed') settled.set(backup, { state: 'sealed', at, attempt: settlement.attempt });
  });
  return settled;
}

/**
 * A seal that cannot be read may be that of a backup which needs its segments. So it counts as one: until that backup is marked
 * as deleted, and a day later, its table is asked for, and that it cannot be read stops the collection.
 */
function asSealed(error: unknown): { readonly state: 'sealed'; readonly attempt: undefined } {
  if (error instanceof CorruptData) return { state: 'sealed', attempt: undefined };
  throw error;
}

async function readTables(
  repository: Repository,
  backups: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string[]>> {
  const tables = new Map<string, string[]>();
  await mapConcurrently(backups, READS_AT_ONCE, async (backup) => {
    try {
      const settlement = await readSettlement(repository, backup, signal);
      if (settlement?.state !== 'sealed') throw changed(backup);
      const index = await IndexReader.open(settlement, { ...repository, signal });
      tables.set(
        backup,
        (await index.segments()).map((use) => use.name),
      );
    } catch (cause) {
      if (cause instanceof Failure && cause.code === 'repository-changed') throw cause;
      const message = `Cannot remove anything as the table of backup ${backup} cannot be read`;
      throw new Failure('table-unreadable', message, {
        cause,
        nextStep: `Run \`holdfast repository check\`; if the backup is lost, delete it and run this again a day later.`,
      });
    }
  });
  return tables;
}

function changed(backup: string): Failure {
  return new Failure('repository-changed', `Cannot collect as backup ${backup} changed meanwhile`, {
    nextStep: 'Run it again.',
  });
}

/** The store's clock, read off an object written for that. */
async function storeNow({ storage }: Repository, signal: AbortSignal): Promise<number> {
  const key = `probe/${randomBytes(8).toString('hex')}`;
  await storage.put(key, Buffer.from('what time is it'), { signal });
  try {
    for await (const object of storage.list(key, { signal })) return object.modified.getTime();
  } finally {
    await storage.delete([key], { signal });
  }
  throw new Failure(
    'store-time-unknown',
    `Cannot collect as the store's list does not show what was just written: ${storage.description}`,
    { nextStep: 'Run it again later.' },
  );
}

async function listBegun(repository: Repository, signal: AbortSignal): Promise<Map<string, BegunAttempt[]>> {
  const begun = new Map<string, BegunAttempt[]>();
  for await (const { key, modified } of repository.storage.list(BEGUN, { signal })) {
    const name = parseBegunKey(key);
    if (!name) continue;
    const attempts = begun.get(name.backup) ?? [];
    attempts.push({ attempt: name.attempt, at: modified.getTime() });
    begun.set(name.backup, attempts);
  }
  return begun;
}

async function listTimes(repository: Repository, prefix: string, signal: AbortSignal): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  for await (const { key, modified } of repository.storage.list(prefix, { signal })) {
    const backup = backupOfKey(key, prefix);
    if (backup !== undefined) times.set(backup, modified.getTime());
  }
  return times;
}

async function lastSign(repository: Repository, backup: string, signal: AbortSignal): Promise<number> {
  let last = 0;
  for await (const { modified } of repository.storage.list(`${BACKUPS}${backup}/`, { signal }))
    last = Math.max(last, modified.getTime());
  return last;
}
