import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CorruptData, Failure } from '../lib/failure.ts';
import { makeOwnedDirectory } from '../lib/owned-directory.ts';
import { BadSegment } from '../repository/bad-segment.ts';
import { checkBackup } from '../repository/check.ts';
import type { Sealed } from '../repository/documents.ts';
import { addNote, noteBadSegments } from '../repository/notes.ts';
import { checkDrill, type DrillCheckOptions, type DrillResult } from './drill-check.ts';
import { giveTo, type Ownership } from './ownership.ts';
import { refuseUnreachable } from './reachable.ts';
import { type DoneStep, prepareRestore, type PrepareRestoreOptions, Steps } from './prepare-restore.ts';
import { type ScratchServer, type ScratchServerOptions, startScratchServer } from './scratch-server.ts';
import { serverOf } from './sealed-server.ts';
import { refuseOnThisHost } from './tablespace-list.ts';

/** For one question to a drill's server: a check of a large table takes as long as it takes, and who waits can end it. */
export const DRILL_QUERY_LIMIT_MS: number = 24 * 3600_000;

export interface DrillOptions extends PrepareRestoreOptions {
  /** Holds the scratch directory, on a file system with room for the whole database. Created when absent. */
  readonly directory: string;
  /** Of the scratch files: the user the server runs as. The running user when absent. */
  readonly ownership?: Ownership;
  readonly server: Pick<
    ScratchServerOptions,
    'program' | 'connect' | 'bufferPoolBytes' | 'startLimitMs' | 'hostOptions'
  >;
  readonly check?: Pick<DrillCheckOptions, 'depth' | 'withChecksums'>;
}

export interface Drilled extends DrillResult {
  readonly steps: readonly DoneStep[];
}

/**
 * Proves a backup: restores it into a scratch directory, prepares it, starts a server on it that is cut off from everything,
 * and asks that server whether every table is good. What comes out is noted in the repository. The scratch directory is
 * removed in any case.
 * @throws Failure `not-proven` when a table is not good.
 */
export async function drillBackup(sealed: Sealed, options: DrillOptions): Promise<Drilled> {
  const { repository, signal } = options;
  try {
    const drilled = await drill(sealed, options);
    const { steps, tables, version: serverVersion } = drilled;
    const kept = steps.map(({ name, ms }) => ({ name, ms }));
    await addNote(repository, sealed.backup, { note: { kind: 'proven', steps: kept, tables, serverVersion }, signal });
    return drilled;
  } catch (error) {
    if (error instanceof BadSegment) await noteOtherDamage(sealed, options);
    // A drill that was called off, or could not reach the store, says nothing about the backup.
    if (error instanceof Failure && speaksAgainst(error)) {
      await addNote(repository, sealed.backup, { note: { kind: 'failed-proof', reason: error.message }, signal });
    }
    throw error;
  }
}

/** A restore ends at the first segment that is bad. The next backup shall lean on none of the others either. */
async function noteOtherDamage(sealed: Sealed, { repository, directory, signal, onLog }: DrillOptions): Promise<void> {
  onLog('Stored data is bad: reading the rest of the backup to learn what else is');
  try {
    const wanted = { readData: true, temporaryDirectory: directory, signal };
    await noteBadSegments(repository, (await checkBackup(repository, sealed, wanted)).bad, signal);
  } catch (error) {
    onLog(`What else is bad is not known: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function drill(sealed: Sealed, options: DrillOptions): Promise<Drilled> {
  const { signal, onProgress, ownership } = options;
  const steps = new Steps(options);
  await mkdir(options.directory, { recursive: true });
  if (ownership) await refuseUnreachable(options.directory, ownership);
  const scratch = await makeOwnedDirectory(options.directory, 'holdfast-drill');
  try {
    const dataDirectory = join(scratch, 'data');
    const prepared = await prepareRestore(sealed, dataDirectory, options);
    await refuseOnThisHost(prepared.absent);
    if (ownership) await steps.run('ownership', async () => own(scratch, ownership, signal));
    await using server = await steps.run('start', async () => start(sealed, dataDirectory, options));
    const result = await steps.run('check', async () =>
      checkDrill({
        ...options.check,
        query: async (sql) => server.query(sql),
        signal,
        onProgress: ({ done, of }) => onProgress({ step: 'check', tables: { done, total: of } }),
      }),
    );
    if (result.errors.length > 0) throw notProven(sealed, result);
    return { ...result, steps: [...prepared.steps, ...steps.done] };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function own(scratch: string, ownership: Ownership, signal: AbortSignal): Promise<void> {
  await giveTo(scratch, ownership, { signal });
}

async function start(
  sealed: Sealed,
  dataDirectory: string,
  { server, signal, clock }: DrillOptions,
): Promise<ScratchServer> {
  const { vendor } = serverOf(sealed);
  return startScratchServer({
    ...server,
    vendor,
    dataDirectory,
    variables: sealed.source.variables ?? {},
    signal,
    clock,
  });
}

function notProven(sealed: Sealed, { errors, tables }: DrillResult): Failure {
  const message = `Cannot call backup ${sealed.backup} proven as ${errors.length} of its ${tables} tables are not good`;
  return new Failure('not-proven', message, {
    evidence: errors.slice(0, 20).map((error) => `${error.table}: ${error.message}`),
    nextStep: 'Check the same tables on the source server: damage that was there before is in the backup, too.',
  });
}

/** The data could not be read back, or not be made consistent, or no server runs on it: not a full disk, a killed or slow server, a lost store. */
function speaksAgainst(error: Failure): boolean {
  const codes = ['not-proven', 'scratch-server-ended', 'tool-failed', 'tool-not-completed', 'page-corrupted'];
  return error instanceof CorruptData || codes.includes(error.code);
}
