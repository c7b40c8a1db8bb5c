import { systemClock } from '../../src/lib/clock.ts';
import { Attempt, type AttemptRequest, type SealFields } from '../../src/repository/attempt.ts';
import type { WrittenBackup } from '../../src/repository/backup-writer.ts';
import type { Sealed } from '../../src/repository/documents.ts';
import { LogBook } from '../../src/repository/log-book.ts';
import { newBackupId } from '../../src/repository/names.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { type Files, piecesOf } from './pieces.ts';

export const neverAborted: AbortSignal = new AbortController().signal;

export const someFields: SealFields = {
  name: 'test',
  source: {
    vendor: 'MariaDB',
    serverVersion: '10.11.19-MariaDB',
    serverIdentity: 'a',
    lineage: 'lineage-a',
    engine: 'mariadb-backup',
    toolVersion: '10.11.19-MariaDB',
  },
  startedAt: '2026-11-21T01:00:00.000Z',
  endedAt: '2026-11-21T01:01:00.000Z',
  gtid: '0-1-2',
  fromLsn: '0',
  toLsn: '123',
  lastLsn: '456',
  program: 'holdfast test',
};

/** Small segments and frames, so that a few MiB make many of them. */
export const smallTuning = { segmentBytes: 1 << 20, frameBytes: 128 << 10, compressions: 2, uploads: 2 };

export interface BackUpOptions extends Partial<AttemptRequest> {
  readonly files: Files;
  readonly random: () => number;
}

let clockSteps = 0;

/** Ids that sort in the order of the calls, within one second too. */
export function nextBackupId(): string {
  clockSteps += 1;
  return newBackupId(systemClock.now() + clockSteps * 1000);
}

/** Takes a whole backup of the files into the repository. */
export async function backUp(
  repository: Repository,
  options: BackUpOptions,
): Promise<{ sealed: Sealed; written: WrittenBackup }> {
  const attempt = await startAttempt(repository, options);
  using writer = attempt.writer;
  for (const pieces of piecesOf(options.files, options.random)) await writer.write(pieces);
  const written = await writer.finish();
  const log = new LogBook();
  log.add('completed OK!');
  await attempt.putLog(log);
  return { sealed: await attempt.seal(written, someFields), written };
}

export async function startAttempt(repository: Repository, options: Partial<AttemptRequest>): Promise<Attempt> {
  return Attempt.start(repository, {
    backup: nextBackupId(),
    service: 'db',
    lineage: 'lineage-a',
    writer: 'test',
    level: 1,
    signal: neverAborted,
    tuning: smallTuning,
    ...options,
  });
}
