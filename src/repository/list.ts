import { mapConcurrently } from '../lib/concurrently.ts';
import { CorruptData } from '../lib/failure.ts';
import type { Note, Sealed } from './documents.ts';
import { backupOfKey, BEGUN, DELETED, parseBegunKey, SEALS } from './names.ts';
import { readNotes } from './notes.ts';
import type { Repository } from './repository.ts';
import { readSettlement } from './settle.ts';

/** What a repository knows of one backup. */
export type ListedBackup =
  | { readonly backup: string; readonly state: 'sealed'; readonly sealed: Sealed; readonly notes: readonly Note[] }
  /** Begun and not settled: being made, or its writer died. When one of its attempts began. */
  | { readonly backup: string; readonly state: 'unsettled'; readonly begunAt: Date }
  | { readonly backup: string; readonly state: 'void' }
  /** Its seal or a note of it cannot be used. */
  | { readonly backup: string; readonly state: 'damaged'; readonly reason: string };

export interface ListOptions {
  readonly signal: AbortSignal;
  /** Show what was given up, too. */
  readonly includeVoid?: boolean;
}

/**
 * Needs no key; without one nothing is authenticated. Oldest first; deleted backups are not shown. What is damaged of one hides no
 * other.
 */
export async function listBackups(
  repository: Pick<Repository, 'storage'> & Partial<Repository>,
  { signal, includeVoid = false }: ListOptions,
): Promise<ListedBackup[]> {
  const { storage } = repository;
  const begun = new Map<string, Date>();
  for await (const { key, modified } of storage.list(BEGUN, { signal })) {
    const backup = parseBegunKey(key)?.backup;
    if (backup !== undefined && !begun.has(backup)) begun.set(backup, modified);
  }
  const ids = new Set([...begun.keys(), ...(await idsBelow(storage, SEALS, signal))]);
  const deleted = new Set(await idsBelow(storage, DELETED, signal));
  const found = new Map<string, ListedBackup>();
  await mapConcurrently(
    [...ids].filter((id) => !deleted.has(id)),
    8,
    async (backup) => {
      const listed = await look(repository, backup, { signal, begunAt: begun.get(backup) });
      if (listed && (listed.state !== 'void' || includeVoid)) found.set(backup, listed);
    },
  );
  return [...found.values()].toSorted((a, b) => (a.backup < b.backup ? -1 : 1));
}

async function look(
  repository: Pick<Repository, 'storage'> & Partial<Repository>,
  backup: string,
  { signal, begunAt }: { readonly signal: AbortSignal; readonly begunAt: Date | undefined },
): Promise<ListedBackup | undefined> {
  try {
    const settlement = await readSettlement(repository, backup, signal);
    if (settlement?.state === 'sealed')
      return { backup, state: 'sealed', sealed: settlement, notes: await readNotes(repository, backup, signal) };
    if (settlement) return { backup, state: 'void' };
    return begunAt && { backup, state: 'unsettled', begunAt };
  } catch (error) {
    if (error instanceof CorruptData) return { backup, state: 'damaged', reason: error.message };
    throw error;
  }
}

async function idsBelow(storage: Repository['storage'], prefix: string, signal: AbortSignal): Promise<string[]> {
  const ids: string[] = [];
  for await (const { key } of storage.list(prefix, { signal })) {
    const id = backupOfKey(key, prefix);
    if (id !== undefined) ids.push(id);
  }
  return ids;
}
