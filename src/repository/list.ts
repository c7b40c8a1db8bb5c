import { mapConcurrently } from '../lib/concurrently.ts';
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
  | { readonly backup: string; readonly state: 'void' };

export interface ListOptions {
  readonly signal: AbortSignal;
  /** Show what was given up, too. */
  readonly includeVoid?: boolean;
}

/** Needs no key; without one nothing is authenticated. Oldest first; deleted backups are not shown. */
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
      const settlement = await readSettlement(repository, backup, signal);
      const begunAt = begun.get(backup);
      if (settlement?.state === 'sealed')
        found.set(backup, {
          backup,
          state: 'sealed',
          sealed: settlement,
          notes: await readNotes(repository, backup, signal),
        });
      else if (settlement?.state === 'void' && includeVoid) found.set(backup, { backup, state: 'void' });
      else if (!settlement && begunAt) found.set(backup, { backup, state: 'unsettled', begunAt });
    },
  );
  return [...found.values()].toSorted((a, b) => (a.backup < b.backup ? -1 : 1));
}

async function idsBelow(storage: Repository['storage'], prefix: string, signal: AbortSignal): Promise<string[]> {
  const ids: string[] = [];
  for await (const { key } of storage.list(prefix, { signal })) {
    const id = backupOfKey(key, prefix);
    if (id !== undefined) ids.push(id);
  }
  return ids;
}
