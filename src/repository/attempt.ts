import { isoTime } from '../lib/clock.ts';
import { Conflict } from '../lib/failure.ts';
import { BackupWriter, type BackupWriterOptions, type WrittenBackup } from './backup-writer.ts';
import { verifySegments, verifyWritten } from './before-sealing.ts';
import type { Sealed } from './documents.ts';
import { CONTENT } from './frame.ts';
import { KnownBlocks } from './known-blocks.ts';
import type { LogBook } from './log-book.ts';
import { type AttemptName, logKey, newAttemptId, parseBackupId } from './names.ts';
import { badSegments } from './notes.ts';
import { openPrevious } from './previous.ts';
import { putOnce } from './put-once.ts';
import type { Repository } from './repository.ts';
import type { SegmentUse } from './segment-table.ts';
import { begin, isDeleted, readSettlement, seal } from './settle.ts';
import { encodeParts } from './small-object.ts';
import { readUploaded } from './uploaded.ts';

export interface AttemptRequest {
  /** Named by the caller, so that asking twice is harmless. */
  readonly backup: string;
  readonly service: string;
  readonly lineage: string;
  /** Who writes, for people: host and process. */
  readonly writer: string;
  /** zstd's level; 0 stores bytes as they are. */
  readonly level: number;
  /** About how many bytes will come; undefined where nobody knows. */
  readonly expectedBytes?: number | undefined;
  readonly signal: AbortSignal;
  readonly tuning?: Pick<BackupWriterOptions, 'segmentBytes' | 'frameBytes' | 'compressions' | 'uploads'>;
}

export type SealFields = Omit<
  Sealed,
  | 'state'
  | 'backup'
  | 'attempt'
  | 'sealedAt'
  | 'parent'
  | 'files'
  | 'logicalBytes'
  | 'storedBytes'
  | 'indexDigest'
  | 'keyId'
  | 'service'
>;

/** Less than this part of a segment in use, and its blocks are uploaded again, so that the segment can go. */
const WORTH_KEEPING = 0.5;

/** One attempt to make one backup: from the first block to the seal. */
export class Attempt {
  readonly name: AttemptName;
  readonly parent: string | undefined;
  /** Segments that earlier attempts of this backup left, and that this one may use. */
  readonly adoptable: number;
  readonly writer: BackupWriter;
  readonly #repository: Repository;
  readonly #request: AttemptRequest;

  private constructor(
    repository: Repository,
    request: AttemptRequest,
    parts: Pick<Attempt, 'name' | 'parent' | 'adoptable' | 'writer'>,
  ) {
    this.#repository = repository;
    this.#request = request;
    this.name = parts.name;
    this.parent = parts.parent;
    this.adoptable = parts.adoptable;
    this.writer = parts.writer;
  }

  /** Throws Conflict `already-settled` when this backup is sealed, void or deleted. */
  static async start(repository: Repository, request: AttemptRequest): Promise<Attempt> {
    const { signal, lineage, service, writer: host } = request;
    const backup = parseBackupId(request.backup);
    const name = { backup, attempt: newAttemptId() };
    await refuseSettled(repository, backup, signal);
    await begin(
      repository,
      { ...name, service, lineage, writer: host, begunAt: isoTime(repository.clock.now()) },
      signal,
    );
    // Again, and only now for good: whoever settles it from here on sees that this attempt began.
    await refuseSettled(repository, backup, signal);
    const [previous, uploaded, isBad] = await Promise.all([
      openPrevious(repository, { lineage, before: backup, signal }),
      readUploaded(repository, backup, signal),
      badSegments(repository, signal),
    ]);
    const table = previous?.table ?? new Map<string, SegmentUse>();
    const factsOf = (segment: string): Pick<SegmentUse, 'size' | 'total'> | undefined =>
      uploaded.segments.get(segment) ?? table.get(segment);
    const isUsable = (segment: string): boolean =>
      factsOf(segment) !== undefined && !isBad(segment) && isWorthKeeping(table.get(segment));
    const isFirst = previous === undefined && uploaded.segments.size === 0;
    const known = new KnownBlocks({ previous: previous?.index, uploaded: uploaded.leaves, isUsable });
    const writer = new BackupWriter({
      ...repository,
      ...request.tuning,
      attempt: name,
      known: isFirst ? undefined : known,
      segmentFacts: factsOf,
      level: request.level,
      expectedBytes: request.expectedBytes,
      signal,
    });
    return new Attempt(repository, request, {
      name,
      parent: previous?.sealed.backup,
      adoptable: uploaded.segments.size,
      writer,
    });
  }

  /** Stores what the tools printed. Before sealing: what is sealed is complete. */
  async putLog(log: LogBook): Promise<void> {
    const { storage, cipher } = this.#repository;
    const key = logKey(this.name);
    const bytes = encodeParts(log.parts(), { content: CONTENT.log, cipher, name: key });
    await putOnce(storage, key, { bytes, signal: this.#request.signal });
  }

  /** Reads back the index, checks that every segment is there at its size, and seals. */
  async seal(written: WrittenBackup, fields: SealFields): Promise<Sealed> {
    const { signal, service, lineage } = this.#request;
    const repository = this.#repository;
    const sealed: Sealed = {
      state: 'sealed',
      ...this.name,
      ...fields,
      source: { ...fields.source, lineage },
      service,
      ...(this.parent === undefined ? {} : { parent: this.parent }),
      files: written.files,
      logicalBytes: written.logicalBytes,
      storedBytes: written.storedBytes,
      indexDigest: written.indexDigest,
      ...(repository.cipher.keyId === undefined ? {} : { keyId: repository.cipher.keyId }),
      sealedAt: isoTime(repository.clock.now()),
    };
    await verifyWritten(repository, sealed, signal);
    await verifySegments(repository, written.segments, signal);
    await seal(repository, sealed, signal);
    return sealed;
  }
}

async function refuseSettled(repository: Repository, backup: string, signal: AbortSignal): Promise<void> {
  const settlement = await readSettlement(repository, backup, signal);
  const state = settlement?.state ?? ((await isDeleted(repository, backup, signal)) ? 'deleted' : undefined);
  if (state !== undefined)
    throw new Conflict('already-settled', `Cannot make backup ${backup} as it is ${state} already`);
}

function isWorthKeeping(use: SegmentUse | undefined): boolean {
  return use === undefined || use.used >= use.total * WORTH_KEEPING;
}
