import { BlockBatch } from './block-batch.ts';
import type { ByteSpan } from './bytes.ts';
import type { CompressedFrame } from './compressor.ts';

/** A block in the order of the stream; a block of zeros, or what happens between two blocks, has no number in the batch. */
export interface PipelineEntry<Work> {
  readonly work: Work;
  /** Its number in the batch. */
  readonly number: number | undefined;
}

export interface BlockPipelineOptions<Work> {
  /** Gives the blocks of a batch their ids. Nobody else may use it until then. @returns its bytes compressed, where that was done, too */
  readonly prepare: (batch: BlockBatch) => Promise<CompressedFrame | undefined>;
  /** Plain bytes of a batch. */
  readonly batchBytes: number;
  /** How many there are: what is gathered, hashed and compressed at once. */
  readonly batches: number;
  /**
   * Called for one batch after the other, in the order of the stream, when its blocks have their ids. The batch belongs to it
   * until it calls `release`, which may be after it resolved.
   */
  readonly settle: (settled: {
    readonly batch: BlockBatch;
    readonly entries: readonly PipelineEntry<Work>[];
    readonly packed: CompressedFrame | undefined;
    readonly release: () => void;
  }) => Promise<void>;
}

/** Gathers blocks into batches, has them hashed beside, and hands them on in order. Memory is a fixed number of batches. */
export class BlockPipeline<Work> {
  readonly #options: BlockPipelineOptions<Work>;
  readonly #free: BlockBatch[] = [];
  #made = 0;
  #current: BlockBatch | undefined;
  #entries: PipelineEntry<Work>[] = [];
  #settled: Promise<void> = Promise.resolve();
  #failure: { readonly cause: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(options: BlockPipelineOptions<Work>) {
    this.#options = options;
  }

  /** May a block of this length be added right now? */
  hasRoom(length: number): boolean {
    return this.#current !== undefined && this.#current.hasRoom(length);
  }

  /** Makes room for one block of at most `batchBytes`. Throws what went wrong with an earlier one. */
  async makeRoom(): Promise<void> {
    if (this.#current) this.#submit();
    this.#current = await this.#batch();
  }

  /** Copies the block. Only when there is room. */
  add(block: ByteSpan, work: Work): void {
    if (!this.#current) throw new RangeError('no room for a block');
    this.#entries.push({ work, number: this.#current.add(block) });
  }

  /** Something without bytes, in its place between the blocks. */
  async note(work: Work): Promise<void> {
    this.#entries.push({ work, number: undefined });
    // A file of nothing but zeros makes no batch full.
    if (this.#entries.length < MAX_ENTRIES) return;
    this.#submit();
    await this.#settled;
    this.#check();
  }

  /** Resolves when everything that was added is settled. */
  async drain(): Promise<void> {
    this.#submit();
    await this.#settled;
    this.#check();
  }

  /** Batches that are under way do not come back: whoever waits for one learns why. */
  fail(cause: unknown): void {
    this.#failure ??= { cause };
    this.#wake();
  }

  #check(): void {
    if (this.#failure) throw this.#failure.cause;
  }

  #submit(): void {
    const batch = this.#current ?? new BlockBatch(EMPTY);
    const isOurs = this.#current !== undefined;
    const entries = this.#entries;
    this.#current = undefined;
    this.#entries = [];
    const release = (): void => {
      if (!isOurs) return;
      batch.clear();
      this.#free.push(batch);
      this.#wake();
    };
    const prepared = batch.count === 0 ? Promise.resolve(undefined) : this.#options.prepare(batch);
    prepared.catch(() => undefined);
    this.#settled = this.#settled.then(async () => {
      this.#check();
      await this.#options.settle({ batch, entries, packed: await prepared, release });
    });
    this.#settled = this.#settled.catch((cause: unknown) => this.fail(cause));
  }

  async #batch(): Promise<BlockBatch> {
    for (;;) {
      this.#check();
      const free = this.#free.pop();
      if (free) return free;
      if (this.#made < this.#options.batches) {
        this.#made += 1;
        return new BlockBatch(BlockBatch.memoryOf(this.#options.batchBytes));
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

const MAX_ENTRIES = 1024;
const EMPTY = BlockBatch.memoryOf(0);
