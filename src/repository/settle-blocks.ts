import type { BlockBatch } from './block-batch.ts';
import type { PipelineEntry } from './block-pipeline.ts';
import type { CompressedFrame } from './compressor.ts';
import type { Reference } from './extent.ts';
import type { FileWork } from './file-writer.ts';
import type { BlockOrigin, PlacedBlock, SegmentWriter } from './segment-writer.ts';

export interface SettledBatch {
  readonly batch: BlockBatch;
  readonly entries: readonly PipelineEntry<FileWork>[];
  /** Its bytes, compressed already because all of them are new and worth a frame. */
  readonly packed: CompressedFrame | undefined;
  /** Gives the batch back. */
  readonly release: () => void;
}

/** From this part of a batch on that is new, the batch itself becomes a frame, and nothing is copied once more. */
const WORTH_A_FRAME = 0.75;

export function isWorthAFrame({ bytes }: BlockBatch, newBytes: number): boolean {
  return newBytes > 0 && newBytes >= bytes.length * WORTH_A_FRAME;
}

/** Stores a block whose bytes lie at a position of the batch. */
type Place = (length: number, position: number, origin: BlockOrigin) => PlacedBlock | Promise<PlacedBlock>;

/** Tells the known blocks of a batch from the new, has the new ones stored, and tells each file where its blocks are. */
export async function settleBlocks(segments: SegmentWriter, settled: SettledBatch): Promise<void> {
  const known = await findKnown(settled);
  // Where nothing is new, no frame is begun: it would hold nothing.
  if (isWorthAFrame(settled.batch, newBytes(settled, known))) {
    await asFrame(segments, settled, known);
    return;
  }
  const { bytes } = settled.batch;
  await settleEach(settled, known, async (length, position, origin) => {
    if (!segments.hasRoom) await segments.makeRoom();
    return segments.addBlock(bytes.subarray(position, position + length), origin);
  });
  settled.release();
}

/** The new blocks are moved together over the known ones between them. */
async function asFrame(segments: SegmentWriter, settled: SettledBatch, known: Known): Promise<void> {
  const { bytes } = settled.batch;
  const frame = await segments.beginFrame({ buffer: bytes, release: settled.release });
  await settleEach(settled, known, (length, position, origin) => {
    if (frame.length !== position) bytes.copyWithin(frame.length, position, position + length);
    return frame.append(length, origin);
  });
  await frame.submit(settled.packed);
}

/** For each entry, where its block is stored; undefined for what is new, and for the end of a file. */
type Known = readonly (Reference | undefined)[];

async function findKnown({ batch, entries }: SettledBatch): Promise<Known> {
  const known: (Reference | undefined)[] = [];
  for (const { work, number } of entries) {
    const { file, block } = work;
    const loading = block === undefined ? undefined : file.load(block);
    if (loading) await loading;
    known.push(block === undefined ? undefined : file.find(block, { batch, number }));
  }
  return known;
}

function newBytes({ batch, entries }: SettledBatch, known: Known): number {
  return entries.reduce(
    (sum, { number }, at) => sum + (number === undefined || known[at] ? 0 : batch.lengthOf(number)),
    0,
  );
}

async function settleEach({ batch, entries }: SettledBatch, known: Known, place: Place): Promise<void> {
  let position = 0;
  let at = -1;
  for (const { work, number = -1 } of entries) {
    at += 1;
    const { file, block } = work;
    const length = batch.lengthOf(number);
    if (block === undefined) file.settleEnd();
    else {
      const placed = known[at] ?? place(length, position, { path: file.path, block });
      const { frame, plainOffset } = placed instanceof Promise ? await placed : placed;
      file.settle({ id: known[at]?.id ?? batch.id(number), frame, plainOffset });
    }
    position += length;
  }
}
