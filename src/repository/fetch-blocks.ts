import { mapConcurrently } from '../lib/concurrently.ts';
import { releaseMemory } from '../lib/release-memory.ts';
import { ID_BYTES, type ObjectCipher } from './cipher.ts';
import { BLOCK_BYTES } from './extent.ts';
import {
  CONTENT,
  FRAME_HEADER_BYTES,
  MAX_PLAIN_BYTES,
  OBJECT_HEADER_BYTES,
  openFrame,
  openObjectHeader,
  unreadable,
} from './frame.ts';
import { wrongBytes } from './frame-reader.ts';
import { segmentKey } from './names.ts';
import type { Repository } from './repository.ts';
import type { PlannedRun } from './restore-plan.ts';

/** Bytes of one ranged GET at most. */
const RANGE_BYTES = 8 << 20;
/** Bytes that nobody wants are read, too, when it saves a request. */
const GAP_BYTES = 256 << 10;

export interface VerifiedRun {
  readonly run: PlannedRun;
  /** The blocks' plain bytes, one after the other. */
  readonly bytes: Buffer;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  /** Bytes of the last block of a file may be fewer: tells how long a run is. */
  readonly lengthOf: (run: PlannedRun) => number;
  /** May run for several frames at once. `bytes` are valid until it resolves. */
  readonly onRun: (verified: VerifiedRun) => Promise<void>;
  readonly framesAtOnce: number;
}

/** Reads what is wanted of one segment in large ranges, verifies every block, and hands it on. */
export async function fetchBlocks(
  repository: Repository,
  wanted: { readonly segment: string; readonly runs: readonly PlannedRun[] },
  options: FetchOptions,
): Promise<void> {
  const { segment, runs } = wanted;
  const key = segmentKey(segment);
  const { storage, cipher } = repository;
  const { signal } = options;
  const header =
    cipher.keyId === undefined
      ? undefined
      : await storage.get(key, { range: { start: 0, end: OBJECT_HEADER_BYTES }, signal });
  const object = header
    ? openObjectHeader(header, { content: CONTENT.segment, cipher, name: key })
    : cipher.forObject(key, Buffer.alloc(0));
  for (const range of rangesOf(runs)) {
    const bytes = await storage.get(key, { range, signal });
    if (bytes.length !== range.end - range.start) throw unreadable(key, `it ends before byte ${range.end}`);
    const work = { repository, segment, object, bytes, start: range.start };
    await mapConcurrently(range.frames, options.framesAtOnce, async (frame) => verifyFrame(work, frame, options));
    releaseMemory(bytes);
  }
}

interface FrameRuns {
  readonly offset: number;
  readonly length: number;
  readonly runs: PlannedRun[];
}

interface Range {
  readonly start: number;
  end: number;
  readonly frames: FrameRuns[];
}

/** @param runs in the order of their frames. */
function rangesOf(runs: readonly PlannedRun[]): Range[] {
  const ranges: Range[] = [];
  for (const frame of framesOf(runs)) {
    const last = ranges.at(-1);
    const end = frame.offset + FRAME_HEADER_BYTES + frame.length;
    if (last && frame.offset - last.end <= GAP_BYTES && end - last.start <= RANGE_BYTES) {
      last.end = end;
      last.frames.push(frame);
    } else ranges.push({ start: frame.offset, end, frames: [frame] });
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

interface FrameWork {
  readonly repository: Repository;
  readonly segment: string;
  readonly object: ObjectCipher;
  readonly bytes: Buffer;
  readonly start: number;
}

async function verifyFrame(work: FrameWork, frame: FrameRuns, options: FetchOptions): Promise<void> {
  options.signal.throwIfAborted();
  const at = frame.offset - work.start;
  const stored = work.bytes.subarray(at, at + FRAME_HEADER_BYTES + frame.length);
  const plain = await openFrame({ bytes: stored, cipher: work.object, name: segmentKey(work.segment) });
  if (plain.length > MAX_PLAIN_BYTES) throw wrongBytes(work.segment);
  for (const run of frame.runs) {
    const bytes = plain.subarray(run.plainOffset, run.plainOffset + options.lengthOf(run));
    verifyRun(work, run, bytes);
    await options.onRun({ run, bytes });
  }
  // Bytes that were stored as they are lie in the range itself.
  if (plain.buffer !== work.bytes.buffer) releaseMemory(plain);
}

function verifyRun({ repository, segment }: FrameWork, run: PlannedRun, bytes: Buffer): void {
  const blocks = run.ids.length / ID_BYTES;
  if (Math.ceil(bytes.length / BLOCK_BYTES) !== blocks) throw wrongBytes(segment);
  for (let block = 0; block < blocks; block += 1) {
    const id = repository.cipher.blockId(bytes.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES));
    if (id.compare(run.ids, block * ID_BYTES, (block + 1) * ID_BYTES) !== 0) throw wrongBytes(segment);
  }
}
