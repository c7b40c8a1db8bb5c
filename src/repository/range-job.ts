import { releaseMemory } from '../lib/release-memory.ts';
import { ID_BYTES, objectCipher, type ObjectCipher } from './cipher.ts';
import { BLOCK_BYTES } from './extent.ts';
import { FRAME_HEADER_BYTES, openFrameSync, wrongBytes } from './frame.ts';
import type { TargetFiles } from './target-files.ts';

/** Stored bytes of one segment, and which of the blocks in them are wanted. Plain data, as another thread gets it. */
export interface RangeJob {
  /** The object's key, which stands in its associated data and in errors. */
  readonly name: string;
  /** Undefined where the repository is not encrypted. */
  readonly objectKey: Uint8Array | undefined;
  readonly bytes: Uint8Array;
  readonly frames: readonly WantedFrame[];
  /** Of the wanted blocks, in the order of the frames and runs; 32 bytes each. */
  readonly ids: Uint8Array;
}

export interface WantedFrame {
  /** Of its header in the job's bytes. */
  readonly at: number;
  /** Of its body. */
  readonly length: number;
  readonly runs: readonly WantedRun[];
}

/** Blocks that lie one after the other in a frame, the last of which may be short. */
export interface WantedRun {
  readonly plainOffset: number;
  readonly length: number;
  /** Where they are written; undefined when they are only verified. */
  readonly target: RunTarget | undefined;
}

export interface RunTarget {
  readonly path: string;
  readonly position: number;
  /** Zeros are left out. */
  readonly isSparse: boolean;
}

export interface RangeTools {
  /** A block's id as text, a character a byte. */
  readonly digest: (bytes: Uint8Array) => string;
  readonly files: TargetFiles;
}

/**
 * Verifies every wanted block, and writes those of a frame when all of them are right.
 * @throws CorruptData `wrong-bytes`, `repository-damaged`, `not-authentic`; what the system says when writing
 */
export function runRangeJob(job: RangeJob, tools: RangeTools): void {
  const cipher = objectCipher(job.objectKey, job.name);
  const ids = Buffer.from(job.ids.buffer, job.ids.byteOffset, job.ids.length);
  let done = 0;
  for (const frame of job.frames) done = runFrame({ job, cipher, ids, tools }, frame, done);
  if (done !== ids.length) throw wrongBytes(job.name);
}

interface Running {
  readonly job: RangeJob;
  readonly cipher: ObjectCipher;
  readonly ids: Buffer;
  readonly tools: RangeTools;
}

/** @returns how far the ids are used up. */
function runFrame({ job, cipher, ids, tools }: Running, frame: WantedFrame, firstId: number): number {
  const end = frame.at + FRAME_HEADER_BYTES + frame.length;
  const stored = Buffer.from(job.bytes.buffer, job.bytes.byteOffset + frame.at, end - frame.at);
  const plain = openFrameSync({ bytes: stored, cipher, name: job.name });
  let id = firstId;
  for (const { plainOffset, length } of frame.runs) {
    if (plainOffset + length > plain.length) throw wrongBytes(job.name);
    for (let at = plainOffset; at < plainOffset + length; at += BLOCK_BYTES, id += ID_BYTES) {
      const block = plain.subarray(at, Math.min(at + BLOCK_BYTES, plainOffset + length));
      if (tools.digest(block) !== ids.toString('latin1', id, id + ID_BYTES)) throw wrongBytes(job.name);
    }
  }
  for (const { plainOffset, length, target } of frame.runs) {
    if (target) tools.files.write(target, plain.subarray(plainOffset, plainOffset + length));
  }
  // Bytes that were stored as they are lie in the job's own.
  if (plain.buffer !== job.bytes.buffer) releaseMemory(plain);
  return id;
}
