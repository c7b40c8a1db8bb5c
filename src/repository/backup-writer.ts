import { hash } from 'node:crypto';
import type { FilePiece } from '../engine/engine.ts';
import type { Storage } from '../storage/storage.ts';
import { CorruptData } from '../lib/failure.ts';
import type { BlockBatch } from './block-batch.ts';
import type { BlockHasher } from './block-hasher.ts';
import { BlockPipeline } from './block-pipeline.ts';
import { BlockThreads } from './block-threads.ts';
import type { Cipher } from './cipher.ts';
import { type CompressedFrame, type Compressor, createCompressor } from './compressor.ts';
import { BLOCK_BYTES, FANOUT } from './extent.ts';
import { FileList } from './file-list.ts';
import { isSafePath } from './file-page.ts';
import { FileWriter, type FileWork } from './file-writer.ts';
import { type CompressionLevel, CONTENT } from './frame.ts';
import { IndexWriter } from './index-writer.ts';
import type { KnownBlocks } from './known-blocks.ts';
import { type AttemptName, indexKey } from './names.ts';
import { NodeQueue } from './node-queue.ts';
import { putOnce } from './put-once.ts';
import { isWorthAFrame, settleBlocks, type SettledBatch } from './settle-blocks.ts';
import { encodeObject } from './small-object.ts';
import type { SegmentUse } from './segment-table.ts';
import { SegmentUsage } from './segment-usage.ts';
import { SegmentWriter } from './segment-writer.ts';

/** Small enough that a few fit into memory and go up side by side, large enough that a request costs little. */
export const DEFAULT_SEGMENT_BYTES = 16 << 20;
export const DEFAULT_FRAME_BYTES = 1 << 20;
/** Bytes of a file that one leaf covers. */
const LEAF_BYTES = FANOUT * BLOCK_BYTES;
/** Nodes are written when frames get their places. Where little is new that is seldom, and they must not pile up. */
const MAX_WAITING_NODES = 512;
/** One is filled, one hashed and one looked through while others are compressed. */
const BATCHES_BESIDE = 3;
/** A stream that opens more files at once than this is not one of a backup tool. */
const MAX_OPEN_FILES = 4096;

export interface BackupWriterOptions {
  readonly storage: Storage;
  readonly cipher: Cipher;
  readonly attempt: AttemptName;
  /** undefined where there is nothing that the backup could lean on. */
  readonly known: KnownBlocks | undefined;
  /** Of segments that are not this attempt's: to write their sizes into the table. */
  readonly segmentFacts: (segment: string) => { readonly size: number; readonly total: number } | undefined;
  readonly level: CompressionLevel;
  /** About how many bytes will come. */
  readonly expectedBytes?: number | undefined;
  readonly signal: AbortSignal;
  readonly segmentBytes?: number;
  readonly frameBytes?: number;
  readonly compressions?: number;
  readonly uploads?: number;
  /** Instead of zstd of that level. */
  readonly compressor?: Compressor;
  /** Instead of threads with the cipher's ids. */
  readonly hasher?: BlockHasher;
}

export interface WrittenBackup {
  /** SHA-256 of the index object, hexadecimal. */
  readonly indexDigest: string;
  readonly files: number;
  readonly logicalBytes: number;
  /** Bytes that this attempt put into the store: segments and index. */
  readonly storedBytes: number;
  /** Bytes of pages of the index among them. */
  readonly indexBytes: number;
  /** What the backup refers to, its own and others'. */
  readonly segments: Iterable<SegmentUse>;
}

/** Writes the pieces of one backup into a repository. What it wrote counts for nothing until it is sealed. */
export class BackupWriter implements Disposable {
  readonly #options: BackupWriterOptions;
  readonly #segments: SegmentWriter;
  readonly #nodes: NodeQueue;
  readonly #threads: BlockThreads;
  readonly #pipeline: BlockPipeline<FileWork>;
  readonly #usage: SegmentUsage;
  readonly #open = new Map<string, FileWriter>();
  readonly #files = new FileList();
  readonly #directories = new Set<string>();
  readonly #spare: Buffer[] = [];
  #readBytes = 0;

  constructor(options: BackupWriterOptions) {
    this.#options = options;
    this.#usage = new SegmentUsage(options.attempt);
    this.#threads = new BlockThreads(options.cipher, options);
    const compressions = options.compressions ?? 3;
    const compressor = options.compressor ?? createCompressor(options.level, this.#threads);
    this.#pipeline = new BlockPipeline({
      prepare: this.#preparing(compressor),
      batchBytes: options.frameBytes ?? DEFAULT_FRAME_BYTES,
      batches: compressions + BATCHES_BESIDE,
      settle: async (settled) => this.#settle(settled),
    });
    this.#segments = new SegmentWriter({
      ...options,
      segmentBytes: options.segmentBytes ?? DEFAULT_SEGMENT_BYTES,
      frameBytes: options.frameBytes ?? DEFAULT_FRAME_BYTES,
      compressor,
      compressions,
      uploads: options.uploads ?? 3,
      onPlaced: async () => this.#nodes.flush(),
      onFailure: (cause) => this.#pipeline.fail(cause),
    });
    this.#nodes = new NodeQueue({
      segments: this.#segments,
      cipher: options.cipher,
      usage: this.#usage,
      batch: Math.max(1, Math.floor((options.segmentBytes ?? DEFAULT_SEGMENT_BYTES) / LEAF_BYTES)),
    });
  }

  /** Bytes of the server's files taken in, holes included. */
  get readBytes(): number {
    return this.#readBytes;
  }

  get uploadedBytes(): number {
    return this.#segments.uploadedBytes;
  }

  /** Takes the pieces in; what it needs of them is copied before it resolves. */
  async write(pieces: readonly FilePiece[]): Promise<void> {
    for (const piece of pieces) {
      const file = this.#open.get(piece.path) ?? (await this.#begin(piece.path));
      if (piece.type === 'end') {
        this.#open.delete(piece.path);
        await file.end(piece.size);
        continue;
      }
      await file.take(piece);
      this.#readBytes += piece.type === 'data' ? piece.bytes.length : piece.length;
    }
  }

  /** Where nothing is known everything is new, so that it can be compressed before anybody looks. */
  #preparing(compressor: Compressor): (batch: BlockBatch) => Promise<CompressedFrame | undefined> {
    const { known, hasher = this.#threads } = this.#options;
    const isAllNew = known === undefined && hasher === this.#threads;
    return async (batch) => {
      if (isAllNew && compressor.hashAndCompress && isWorthAFrame(batch, batch.length))
        return compressor.hashAndCompress(batch);
      await hasher.hash(batch);
      return undefined;
    };
  }

  async #settle(settled: SettledBatch): Promise<void> {
    await settleBlocks(this.#segments, settled);
    if (this.#nodes.waiting >= MAX_WAITING_NODES) await this.#segments.settle();
  }

  /** Uploads what is left and the index; only after every file ended. */
  async finish(): Promise<WrittenBackup> {
    const [unfinished] = this.#open.keys();
    if (unfinished !== undefined)
      throw new CorruptData('stream-incomplete', `Cannot finish the backup as ${unfinished} did not end`);
    await this.#pipeline.drain();
    await this.#segments.drain();
    await this.#nodes.finish();
    const index = new IndexWriter({ ...this.#options, segments: this.#segments, usage: this.#usage });
    const root = await index.write(this.#files);
    const digest = await this.#putIndex(JSON.stringify(root.root));
    return {
      indexDigest: digest.sha256,
      files: this.#files.count,
      logicalBytes: root.root.logicalBytes,
      storedBytes: this.#segments.uploadedBytes + digest.size,
      indexBytes: this.#nodes.writtenBytes + index.writtenBytes + digest.size,
      segments: root.segments,
    };
  }

  [Symbol.dispose](): void {
    this.#segments[Symbol.dispose]();
    this.#threads[Symbol.dispose]();
  }

  async #begin(path: string): Promise<FileWriter> {
    if (!isSafePath(path))
      throw new CorruptData(
        'forbidden-path',
        `Cannot store ${JSON.stringify(path)} as it is not a plain relative path`,
      );
    if (this.#files.has(path)) throw new CorruptData('duplicate-file', `Cannot store ${path} as it came twice`);
    if (this.#open.size >= MAX_OPEN_FILES)
      throw new CorruptData('too-many-files', `Cannot store ${path} as ${MAX_OPEN_FILES} files are unfinished`);
    this.#refuseClash(path);
    this.#files.begin(path);
    const file = new FileWriter({
      path,
      pipeline: this.#pipeline,
      nodes: this.#nodes,
      known: await this.#options.known?.file(path),
      spare: this.#spare,
      onDone: (entry) => this.#files.complete(entry),
    });
    this.#open.set(path, file);
    return file;
  }

  /** A name cannot be a file and a directory. */
  #refuseClash(path: string): void {
    let isClash = this.#directories.has(path);
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
      const directory = path.slice(0, at);
      isClash ||= this.#files.has(directory);
      this.#directories.add(directory);
    }
    if (isClash) throw new CorruptData('duplicate-file', `Cannot store ${path} as it would be a file and a directory`);
  }

  async #putIndex(json: string): Promise<{ sha256: string; size: number }> {
    const { storage, cipher, attempt, signal } = this.#options;
    const bytes = encodeObject(Buffer.from(json), { content: CONTENT.index, cipher, name: indexKey(attempt) });
    await putOnce(storage, indexKey(attempt), { bytes, signal });
    return { sha256: hash('sha256', bytes), size: bytes.length };
  }
}
