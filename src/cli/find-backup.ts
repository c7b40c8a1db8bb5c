import { mapConcurrently } from '../lib/concurrently.ts';
import { Conflict, Failure, InvalidRequest } from '../lib/failure.ts';
import type { Sealed } from '../repository/documents.ts';
import { backupOfKey, BEGUN, isBackupId, parseBegunKey, SEALS } from '../repository/names.ts';
import { isDeleted, readSettlement } from '../repository/settle.ts';
import type { ReadableRepository } from './store.ts';

export interface FindOptions {
  readonly signal: AbortSignal;
  /** Of `latest`: only backups of this service. */
  readonly service?: string | undefined;
}

const shownCandidates = 10;

/**
 * The sealed, undeleted backup that a person means: a whole id, the beginning of one, or `latest`.
 * @throws Failure `no-such-backup`, InvalidRequest `ambiguous-id`, Conflict `not-sealed`
 */
export async function findSealed(repository: ReadableRepository, text: string, options: FindOptions): Promise<Sealed> {
  if (text === 'latest') return findLatest(repository, options);
  const id = await findId(repository, text, options);
  const settlement = await readSettlement(repository, id, options.signal);
  if (settlement?.state === 'sealed') return settlement;
  const state = settlement === undefined ? 'being made or abandoned' : 'void';
  throw new Conflict('not-sealed', `Cannot use backup ${id} as it is not complete: it is ${state}`, {
    nextStep: 'Choose one that is sealed: `holdfast repository list` shows them.',
  });
}

/** The id of any backup that began and is not deleted. */
export async function findId(repository: ReadableRepository, text: string, options: FindOptions): Promise<string> {
  const found = await idsBeginningWith(repository, text, options.signal);
  const there: string[] = [];
  await mapConcurrently(found, 8, async (id) => {
    if (!(await isDeleted(repository, id, options.signal))) there.push(id);
  });
  const [only] = there;
  if (only === undefined) throw noSuchBackup(text, repository);
  if (there.length === 1) return only;
  throw new InvalidRequest(
    'ambiguous-id',
    `Cannot tell which backup is meant as ${there.length} ids begin with ${text}`,
    {
      evidence: there.toSorted().slice(0, shownCandidates),
      nextStep: 'Give more of the id.',
    },
  );
}

async function idsBeginningWith(
  repository: ReadableRepository,
  text: string,
  signal: AbortSignal,
): Promise<Set<string>> {
  // Anything else would be a prefix of every key, or none that a store takes.
  if (!/^[0-9A-Za-z-]+$/.test(text)) throw noSuchBackup(text, repository);
  const ids = new Set<string>();
  for await (const { key } of repository.storage.list(`${SEALS}${text}`, { signal })) add(ids, backupOfKey(key, SEALS));
  for await (const { key } of repository.storage.list(`${BEGUN}${text}`, { signal }))
    add(ids, parseBegunKey(key)?.backup);
  return isBackupId(text) ? new Set([...ids].filter((id) => id === text)) : ids;
}

async function findLatest(repository: ReadableRepository, { signal, service }: FindOptions): Promise<Sealed> {
  const ids: string[] = [];
  for await (const { key } of repository.storage.list(SEALS, { signal })) {
    const id = backupOfKey(key, SEALS);
    if (id !== undefined) ids.push(id);
  }
  for (const id of ids.toReversed()) {
    const settlement = await readSettlement(repository, id, signal);
    if (settlement?.state !== 'sealed' || (service !== undefined && settlement.service !== service)) continue;
    if (!(await isDeleted(repository, id, signal))) return settlement;
  }
  throw noSuchBackup(service === undefined ? 'latest' : `latest of service ${service}`, repository);
}

function add(ids: Set<string>, id: string | undefined): void {
  if (id !== undefined) ids.add(id);
}

function noSuchBackup(text: string, { storage }: ReadableRepository): Failure {
  return new Failure(
    'no-such-backup',
    `Cannot find backup ${text} as there is none of that id in ${storage.description}`,
    {
      nextStep: '`holdfast repository list` shows what is there.',
    },
  );
}
