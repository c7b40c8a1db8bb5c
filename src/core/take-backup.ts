import { type Clock, isoTime } from '../lib/clock.ts';
import { withNextStep } from '../lib/failure.ts';
import type { BackupFacts, Engine, ServerConnection, ServerFacts } from '../engine/engine.ts';
import { Attempt, type AttemptRequest, type SealFields } from '../repository/attempt.ts';
import type { Sealed } from '../repository/documents.ts';
import { LogBook } from '../repository/log-book.ts';
import type { Repository } from '../repository/repository.ts';
import { isDeleted, readSettlement } from '../repository/settle.ts';

export interface TakeBackupRequest extends Pick<
  AttemptRequest,
  'backup' | 'service' | 'lineage' | 'writer' | 'level' | 'tuning'
> {
  /** What people call this backup. */
  readonly name: string;
  readonly schedule?: string;
  readonly server: ServerConnection;
  readonly serverFacts: ServerFacts;
  /** Lines about the server that are kept with the log: option files and variables, secrets removed. */
  readonly configuration: readonly string[];
  readonly parallel?: number;
  readonly lockedStallMs?: number;
}

export type BackupStep = 'starting' | 'copying' | 'uploading' | 'sealing';

export interface BackupProgress {
  readonly step: BackupStep;
  /** Bytes of the server's files read so far, and how many are expected. */
  readonly readBytes: number;
  readonly expectedBytes: number | undefined;
  readonly uploadedBytes: number;
  readonly isLocked: boolean;
}

export interface TakeBackupOptions {
  readonly repository: Repository;
  readonly engine: Engine;
  readonly clock: Clock;
  /** Name and version of this program. */
  readonly program: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: BackupProgress) => void;
  readonly onLog: (line: string) => void;
}

/**
 * Makes one attempt to take a backup. It resolves only when the backup is sealed and its index was read back from the store;
 * at once, when an earlier attempt sealed it and did not live to hear so.
 */
export async function takeBackup(request: TakeBackupRequest, options: TakeBackupOptions): Promise<Sealed> {
  const sealed = await sealedBefore(request, options);
  if (sealed) return sealed;
  const end = new AbortController();
  try {
    return await attemptBackup(request, options, end);
  } catch (error) {
    // What is still being uploaded is of no use any more.
    end.abort(error);
    const step =
      'Run the backup again: it uses what was uploaded. If this repeats, check the memory and the disks of this host.';
    throw withNextStep(error, step);
  }
}

async function sealedBefore(
  { backup }: TakeBackupRequest,
  { repository, signal, onLog }: TakeBackupOptions,
): Promise<Sealed | undefined> {
  const settlement = await readSettlement(repository, backup, signal);
  if (settlement?.state !== 'sealed' || (await isDeleted(repository, backup, signal))) return undefined;
  onLog(`holdfast: backup ${backup} was sealed by attempt ${settlement.attempt}`);
  return settlement;
}

/** @param end an engine that gives up does not wait for a store that hangs: it aborts what is being uploaded. */
async function attemptBackup(
  request: TakeBackupRequest,
  options: TakeBackupOptions,
  end: AbortController,
): Promise<Sealed> {
  const { repository, engine, clock, onProgress } = options;
  const signal = AbortSignal.any([options.signal, end.signal]);
  const startedAt = isoTime(clock.now());
  const log = new LogBook();
  const onLog = (line: string): void => {
    log.add(line);
    options.onLog(line);
  };
  for (const line of request.configuration) log.add(line);
  const attempt = await Attempt.start(repository, { ...request, expectedBytes: request.serverFacts.dataBytes, signal });
  using writer = attempt.writer;
  onLog(startLine(attempt, engine));
  const { server, parallel, lockedStallMs } = request;
  const run = engine.backup(server, {
    signal,
    onLog,
    onFailure: (error) => end.abort(error),
    ...(parallel === undefined ? {} : { parallel }),
    ...(lockedStallMs === undefined ? {} : { lockedStallMs }),
  });
  const report = (step: BackupStep): void => {
    const { readBytes, uploadedBytes } = writer;
    onProgress({
      step,
      readBytes,
      uploadedBytes,
      expectedBytes: request.serverFacts.dataBytes,
      isLocked: run.isLocked(),
    });
  };
  report('starting');
  for await (const pieces of run.pieces) {
    await writer.write(pieces);
    report('copying');
  }
  report('uploading');
  const endedAt = isoTime(clock.now());
  const written = await writer.finish();
  await attempt.putLog(log);
  report('sealing');
  const fields = {
    ...sealFields(request, { engine, facts: run.facts() }),
    startedAt,
    endedAt,
    program: options.program,
  };
  return attempt.seal(written, fields);
}

function startLine({ name, parent, adoptable }: Attempt, engine: Engine): string {
  const lean = parent === undefined ? 'a first backup of this lineage' : `compared with backup ${parent}`;
  const adopted = adoptable === 0 ? '' : `, ${adoptable} segments of earlier attempts are there`;
  return `holdfast: backup ${name.backup}, attempt ${name.attempt}, by ${engine.name} ${engine.version}: ${lean}${adopted}`;
}

function sealFields(
  request: TakeBackupRequest,
  { engine, facts }: { engine: Engine; facts: BackupFacts },
): Omit<SealFields, 'startedAt' | 'endedAt' | 'program'> {
  const { name, schedule, serverFacts, lineage } = request;
  return {
    name,
    ...(schedule === undefined ? {} : { schedule }),
    source: {
      vendor: serverFacts.vendor,
      serverVersion: serverFacts.version,
      serverIdentity: serverFacts.identity,
      lineage,
      engine: engine.name,
      toolVersion: facts.toolVersion,
      variables: keptVariables(serverFacts),
    },
    gtid: facts.binlog?.gtid ?? '',
    ...(facts.binlog ? { binlog: { file: facts.binlog.file, position: facts.binlog.position } } : {}),
    fromLsn: facts.fromLsn,
    toLsn: facts.toLsn,
    lastLsn: facts.lastLsn,
  };
}

/** What a drill's server must be told, and what tells it apart from its source. */
function keptVariables({ variables }: ServerFacts): Record<string, string> {
  const names = ['lower_case_table_names', 'innodb_page_size', 'server_id'];
  return Object.fromEntries(names.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]])));
}
