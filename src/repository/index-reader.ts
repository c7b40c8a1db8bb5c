import * as z from 'zod';
import { CorruptData } from '../lib/failure.ts';
import { hash } from 'node:crypto';
import type { Storage } from '../storage/storage.ts';
import { DAMAGED_NEXT_STEP } from './bad-segment.ts';
import type { Cipher } from './cipher.ts';
import type { Reference } from './extent.ts';
import { ByteCache } from './byte-cache.ts';
import {
  comparePaths,
  decodePage,
  type FileEntry,
  type FoundInPage,
  type Page,
  type PageEntry,
  searchPage,
} from './file-page.ts';
import { CONTENT, MAX_BODY_BYTES, unreadable } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { indexKey, parseSegmentName } from './names.ts';
import { readObject } from './read-object.ts';
import { decodeObject } from './small-object.ts';
import { decodeSegmentPage, type SegmentUse } from './segment-table.ts';

const segmentSchema = z.string().refine((name) => parseSegmentName(name) !== undefined);
const referenceSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  segment: segmentSchema,
  offset: z.int().nonnegative(),
  length: z.int().positive().max(MAX_BODY_BYTES),
});

/** The root of an index: small, whatever the size of the database. */
export const rootSchema = z.object({
  format: z.literal(1),
  backup: z.string(),
  attempt: z.string(),
  files: z.int().nonnegative(),
  logicalBytes: z.int().nonnegative(),
  /** The top page of the list of files. */
  fileList: referenceSchema,
  /** Pages of the table of segments. */
  segmentPages: z.array(referenceSchema),
  /** Segments that were closed after the table was written: those that hold the table itself. */
  tail: z.array(
    z.object({
      name: segmentSchema,
      size: z.int().positive(),
      total: z.int().nonnegative(),
      used: z.int().nonnegative(),
    }),
  ),
});
export type IndexRoot = z.infer<typeof rootSchema>;
export type StoredReference = z.infer<typeof referenceSchema>;

export interface SealedIndex {
  readonly backup: string;
  readonly attempt: string;
  /** SHA-256 of the index object's bytes, hexadecimal: it stands in the seal. */
  readonly indexDigest: string;
}

export interface OpenIndexOptions {
  readonly storage: Storage;
  readonly cipher: Cipher;
  readonly signal: AbortSignal;
}

/** A tool brings files in no order, so all pages of a list of some hundred thousand files are wanted again and again. */
const CACHED_PAGE_BYTES = 8 << 20;

/** Reads a backup's index a page at a time, verifying everything on the way. */
export class IndexReader {
  readonly root: IndexRoot;
  readonly frames: FrameReader;
  readonly #pages = new ByteCache(CACHED_PAGE_BYTES);

  private constructor(root: IndexRoot, frames: FrameReader) {
    this.root = root;
    this.frames = frames;
  }

  static async open(sealed: SealedIndex, options: OpenIndexOptions): Promise<IndexReader> {
    const key = indexKey(sealed);
    const bytes = await readObject(options.storage, key, options.signal);
    if (hash('sha256', bytes) !== sealed.indexDigest) {
      throw new CorruptData('wrong-bytes', `Cannot read ${key} as its bytes are not those that were sealed`, {
        nextStep: DAMAGED_NEXT_STEP,
      });
    }
    const root = parseRoot(decodeObject(bytes, { content: CONTENT.index, cipher: options.cipher, name: key }), key);
    if (root.backup !== sealed.backup || root.attempt !== sealed.attempt)
      throw unreadable(key, 'it belongs to another backup');
    return new IndexReader(root, new FrameReader(options));
  }

  /** Every file in ascending order of its path's bytes. Throws CorruptData when they are not those that the root counts. */
  async *files(): AsyncGenerator<FileEntry> {
    let left = this.root.files;
    let bytesLeft = this.root.logicalBytes;
    let before: string | undefined;
    for await (const file of this.#filesBelow(fromStored(this.root.fileList), undefined)) {
      left -= 1;
      bytesLeft -= file.size;
      const isInOrder = before === undefined || comparePaths(before, file.path) < 0;
      if (left < 0 || bytesLeft < 0 || !isInOrder) throw this.#miscounted();
      before = file.path;
      yield file;
    }
    if (left !== 0 || bytesLeft !== 0) throw this.#miscounted();
  }

  async file(path: string): Promise<FileEntry | undefined> {
    const [name, what] = [Buffer.from(path), `the list of files of ${this.root.backup}`];
    let reference: Reference | undefined = fromStored(this.root.fileList);
    let level: number | undefined;
    while (reference) {
      const found: FoundInPage = searchPage(await this.#pageBytes(reference), name, what);
      checkLevel(found, { level, what });
      if (found.level === 0) return found.file;
      level = found.level - 1;
      reference = found.below?.root;
    }
    return undefined;
  }

  /** Where the page of this level lies that begins with this name; pages of files are of level 0. */
  async page(at: { readonly first: string; readonly level: number }): Promise<Reference | undefined> {
    let reference: Reference | undefined = fromStored(this.root.fileList);
    let first: string | undefined;
    let level: number | undefined;
    while (reference) {
      const page: Page = await this.#page(reference, level);
      level = page.level - 1;
      if (page.level === at.level) return (first ?? firstOf(page)) === at.first ? reference : undefined;
      if (!('pages' in page)) return undefined;
      const next: PageEntry | undefined = page.pages.findLast((entry) => comparePaths(entry.first, at.first) <= 0);
      first = next?.first;
      reference = next?.root;
    }
    return undefined;
  }

  /** The segments this backup needs, in no order that matters. Reads nothing but the table. */
  async segments(): Promise<SegmentUse[]> {
    const uses: SegmentUse[] = [];
    for (const stored of this.root.segmentPages) {
      uses.push(
        ...decodeSegmentPage(await this.frames.node(fromStored(stored)), `the segment table of ${this.root.backup}`),
      );
    }
    return [...uses, ...this.root.tail];
  }

  async *#filesBelow(reference: Reference, level: number | undefined): AsyncGenerator<FileEntry> {
    // Each is wanted once, so none is kept.
    const page = this.#decoded(await this.frames.node(reference), level);
    if ('files' in page) yield* page.files;
    else for (const below of page.pages) yield* this.#filesBelow(below.root, page.level - 1);
  }

  async #page(reference: Reference, level: number | undefined): Promise<Page> {
    return this.#decoded(await this.#pageBytes(reference), level);
  }

  /** @param level undefined for the top: it says itself how high it is. */
  #decoded(bytes: Buffer, level: number | undefined): Page {
    const what = `the list of files of ${this.root.backup}`;
    const page = decodePage(bytes, what);
    checkLevel(page, { level, what });
    return page;
  }

  async #pageBytes(reference: Reference): Promise<Buffer> {
    const key = reference.id.toString('latin1');
    const cached = this.#pages.get(key);
    if (cached) return cached;
    const bytes = await this.frames.node(reference);
    this.#pages.add(key, bytes);
    return bytes;
  }

  #miscounted(): CorruptData {
    const { backup, files, logicalBytes } = this.root;
    return unreadable(
      `the list of files of ${backup}`,
      `it does not list ${files} files of ${logicalBytes} bytes in order`,
    );
  }
}

function checkLevel(
  page: { readonly level: number },
  { level, what }: { readonly level: number | undefined; readonly what: string },
): void {
  if (level !== undefined && page.level !== level) throw unreadable(what, `a page is of level ${page.level}`);
}

function firstOf(page: Page): string | undefined {
  return 'files' in page ? page.files[0]?.path : page.pages[0]?.first;
}

export function toStored({ id, frame }: Reference): StoredReference {
  if (!frame.place) throw new RangeError('a node without a place');
  return { id: id.toString('hex'), ...frame.place };
}

function fromStored(stored: StoredReference): Reference {
  const { segment, offset, length } = stored;
  return { id: Buffer.from(stored.id, 'hex'), frame: { place: { segment, offset, length } }, plainOffset: 0 };
}

function parseRoot(plain: Buffer, key: string): IndexRoot {
  try {
    return rootSchema.parse(JSON.parse(plain.toString('utf8')));
  } catch (cause) {
    throw unreadable(key, 'its root makes no sense', cause);
  }
}
