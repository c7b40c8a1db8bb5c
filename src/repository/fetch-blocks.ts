import { mapConcurrently } from '../lib/concurrently.ts';
import { releaseMemory } from '../lib/release-memory.ts';
import { BlockVerifier } from './block-verifier.ts';
import type { ObjectCipher } from './cipher.ts';
import { Decompressor } from './decompressor.ts';
import { CONTENT, FRAME_HEADER_BYTES, OBJECT_HEADER_BYTES, openFrame, openObjectHeader, unreadable } from './frame.ts';
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
  readonly tools: FetchTools;
}

/** What is kept from one segment to the next. */
export class FetchTools implements Disposable {
  readonly decompressor = new Decompressor();
  readonly verifier: BlockVerifier;

  constructor({ cipher }: Pick<Repository, 'cipher'>) {
    this.verifier = new BlockVerifier(cipher);
  }

  [Symbol.dispose](): void {
    this.decompressor[Symbol.dispose]();
    this.verifier[Symbol.dispose]();
  }
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
    const work = { segment, object, bytes, start: range.start };
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
  readonly segment: string;
  readonly object: ObjectCipher;
  readonly bytes: Buffer;
  readonly start: number;
}

async function verifyFrame(work: FrameWork, frame: FrameRuns, options: FetchOptions): Promise<void> {
  options.signal.throwIfAborted();
  const { segment } = work;
  const at = frame.offset - work.start;
  const stored = work.bytes.subarray(at, at + FRAME_HEADER_BYTES + frame.length);
  const { decompressor, verifier } = options.tools;
  const plain = await openFrame({ bytes: stored, cipher: work.object, name: segmentKey(segment) }, decompressor);
  try {
    const runs = frame.runs.map((run) => {
      const bytes = plain.bytes.subarray(run.plainOffset, run.plainOffset + options.lengthOf(run));
      return { run, bytes, ids: run.ids };
    });
    if (!(await verifier.areRight(runs))) throw wrongBytes(segment);
    for (const run of runs) await options.onRun(run);
  } finally {
    plain.release();
  }
}
