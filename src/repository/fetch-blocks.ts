import { ofSegment } from './bad-segment.ts';
import type { ObjectCipher } from './cipher.ts';
import { CONTENT, FRAME_HEADER_BYTES, OBJECT_HEADER_BYTES, openObjectHeader, unreadable } from './frame.ts';
import { segmentKey } from './names.ts';
import type { RangeJob, RunTarget } from './range-job.ts';
import { RangeWorkers } from './range-workers.ts';
import type { Repository } from './repository.ts';
import type { PlannedRun } from './restore-plan.ts';

/** Bytes of one ranged GET at most, but for a frame that is larger. */
const RANGE_BYTES = 8 << 20;
/** Runs of one range at most, but for a frame that has more: of tiny tables a few MiB hold tens of thousands. */
const RANGE_RUNS = 4096;
/** Bytes that nobody wants are read, too, when it saves a request. */
const GAP_BYTES = 256 << 10;
/** Less is copied: it may lie in memory that Node shares out. */
const WORTH_HANDING_OVER = 1 << 20;

export interface FetchOptions {
  readonly signal: AbortSignal;
  /** Bytes of the last block of a file may be fewer: tells how long a run is. */
  readonly lengthOf: (run: PlannedRun) => number;
  /** Where a run is written; without it everything is only verified. */
  readonly targetOf?: (run: PlannedRun) => RunTarget;
  /** Called with runs that are verified, and written. */
  readonly onDone: (runs: readonly PlannedRun[]) => void;
  readonly tools: FetchTools;
}

/** What is kept from one segment to the next. */
export class FetchTools implements AsyncDisposable {
  readonly workers: RangeWorkers;
  /** Memory of earlier ranges: to take it anew for each brings about garbage collections. */
  readonly #free: Buffer[] = [];

  constructor({ cipher }: Pick<Repository, 'cipher'>) {
    this.workers = new RangeWorkers(cipher);
  }

  /** Segments that are worth reading at once: while some are worked on, another is read. */
  get segmentsAtOnce(): number {
    return this.workers.size + 1;
  }

  takeMemory(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(RANGE_BYTES);
  }

  giveMemory(memory: ArrayBufferLike): void {
    if (memory.byteLength === RANGE_BYTES && this.#free.length < this.segmentsAtOnce)
      this.#free.push(Buffer.from(memory));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.workers[Symbol.asyncDispose]();
  }
}

interface WantedBlocks {
  readonly segment: string;
  readonly runs: readonly PlannedRun[];
}

/**
 * Reads what is wanted of one segment in large ranges, verifies every block, and writes it where it belongs. Throws BadSegment
 * where the stored bytes are not what was written.
 */
export async function fetchBlocks(repository: Repository, wanted: WantedBlocks, options: FetchOptions): Promise<void> {
  await ofSegment(wanted.segment, fetchRanges(repository, wanted, options));
}

async function fetchRanges(repository: Repository, wanted: WantedBlocks, options: FetchOptions): Promise<void> {
  const key = segmentKey(wanted.segment);
  const { signal, tools, onDone } = options;
  const { key: objectKey } = await openSegment(repository, key, signal);
  for (const range of rangesOf(wanted.runs)) {
    const into = tools.takeMemory();
    const bytes = await repository.storage.get(key, { range, signal, into });
    // A store that has no use for it leaves it to the next range.
    if (bytes.buffer !== into.buffer) tools.giveMemory(into.buffer);
    if (bytes.length !== range.end - range.start) throw unreadable(key, `it ends before byte ${range.end}`);
    signal.throwIfAborted();
    const job = { name: key, objectKey, bytes: ownBytes(bytes), ...wantedOf(range, options) };
    tools.giveMemory(await tools.workers.run(job));
    onDone(range.frames.flatMap((frame) => frame.runs));
  }
}

async function openSegment({ storage, cipher }: Repository, key: string, signal: AbortSignal): Promise<ObjectCipher> {
  if (cipher.keyId === undefined) return cipher.forObject(key, Buffer.alloc(0));
  const header = await storage.get(key, { range: { start: 0, end: OBJECT_HEADER_BYTES }, signal });
  return openObjectHeader(header, { content: CONTENT.segment, cipher, name: key });
}

/** Bytes whose memory can be handed to another thread. */
function ownBytes(bytes: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= WORTH_HANDING_OVER)
    return new Uint8Array(buffer, byteOffset, length);
  return Uint8Array.from(bytes);
}

interface FrameRuns {
  readonly offset: number;
  readonly length: number;
  readonly runs: PlannedRun[];
}

interface Range {
  readonly start: number;
  end: number;
  runs: number;
  readonly frames: FrameRuns[];
}

/** @param runs in the order of their frames. */
function rangesOf(runs: readonly PlannedRun[]): Range[] {
  const ranges: Range[] = [];
  for (const frame of framesOf(runs)) {
    const last = ranges.at(-1);
    const end = frame.offset + FRAME_HEADER_BYTES + frame.length;
    const runs = frame.runs.length;
    const isNear = last && frame.offset - last.end <= GAP_BYTES && end - last.start <= RANGE_BYTES;
    if (isNear && last.runs + runs <= RANGE_RUNS) {
      last.end = end;
      last.runs += runs;
      last.frames.push(frame);
    } else ranges.push({ start: frame.offset, end, runs, frames: [frame] });
  }
  return ranges;
}

function framesOf(runs: readonly PlannedRun[]): FrameRuns[] {
  const frames: FrameRuns[] = [];
  for (const run of runs) {
    const last = frames.at(-1);
    if (last?.offset === run.frameOffset) last.runs.push(run);
    else frames.push({ offset: run.frameOffset, length: run.frameLength, runs: [run] });
  }
  return frames;
}

/** The ids are copied together: what they are views of goes to no other thread. */
function wantedOf(range: Range, { lengthOf, targetOf }: FetchOptions): Pick<RangeJob, 'frames' | 'ids'> {
  const ids = range.frames.flatMap((frame) => frame.runs.map((run) => run.ids));
  const frames = range.frames.map(({ offset, length, runs }) => ({
    at: offset - range.start,
    length,
    runs: runs.map((run) => ({
      plainOffset: run.plainOffset,
      length: lengthOf(run),
      target: targetOf?.(run),
    })),
  }));
  return { frames, ids: Uint8Array.from(Buffer.concat(ids)) };
}
