import { ownCopy } from './bytes.ts';
import type { Cipher } from './cipher.ts';
import type { Reference } from './extent.ts';
import type { FileList } from './file-list.ts';
import { encodeFilePage, encodeUpperPage, type FileEntry, type PageEntry, paginate } from './file-page.ts';
import { NODE } from './footer.ts';
import { type IndexRoot, toStored } from './index-reader.ts';
import type { KnownBlocks } from './known-blocks.ts';
import type { AttemptName } from './names.ts';
import { encodeSegmentPage, segmentPages, type SegmentUse } from './segment-table.ts';
import type { SegmentUsage } from './segment-usage.ts';
import type { SegmentWriter } from './segment-writer.ts';

export interface IndexWriterOptions {
  readonly attempt: AttemptName;
  readonly cipher: Cipher;
  readonly segments: SegmentWriter;
  readonly usage: SegmentUsage;
  readonly known: KnownBlocks | undefined;
  readonly segmentFacts: (segment: string) => { readonly size: number; readonly total: number } | undefined;
}

/** Writes what stands above the files' trees: the list of files and the table of segments. */
export class IndexWriter {
  readonly #options: IndexWriterOptions;
  #writtenBytes = 0;

  constructor(options: IndexWriterOptions) {
    this.#options = options;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  async write(files: FileList): Promise<{ root: IndexRoot; segments: Iterable<SegmentUse> }> {
    const { attempt, segments, usage } = this.#options;
    const fileList = await this.#fileList(files);
    await segments.finish();
    const last = usage.lastOwn;
    const tablePages: Reference[] = [];
    for (const page of segmentPages(this.#uses(usage.upTo(last)))) {
      const node = { type: NODE.segmentPage, level: 0, index: tablePages.length };
      tablePages.push(await this.#add(encodeSegmentPage(page), node));
    }
    await segments.finish();
    const tail = [...this.#uses(usage.after(last))];
    const root: IndexRoot = {
      format: 1,
      ...attempt,
      files: files.count,
      logicalBytes: files.logicalBytes,
      fileList: toStored(fileList),
      segmentPages: tablePages.map((page) => toStored(page)),
      tail,
    };
    return { root, segments: { [Symbol.iterator]: () => this.#uses(usage.upTo(usage.lastOwn)) } };
  }

  async #fileList(files: FileList): Promise<Reference> {
    let level = 0;
    let pages: PageEntry[] = [];
    for (const page of pagesOf(files)) {
      for (const { root, height, size } of page) this.#use(root, height === 0 ? size : undefined);
      const at = { first: page[0]?.path ?? '', level, index: pages.length };
      pages.push(await this.#page(encodeFilePage(page), at));
    }
    while (pages.length > 1) {
      level += 1;
      pages = await this.#pagesAbove(pages, level);
    }
    const [top] = pages;
    if (!top) throw new RangeError('a list of files has at least one page');
    return top.root;
  }

  async #pagesAbove(pages: readonly PageEntry[], level: number): Promise<PageEntry[]> {
    const above: PageEntry[] = [];
    for (const page of paginate(pages, (entry) => entry.first)) {
      const at = { first: page[0]?.first ?? '', level, index: above.length };
      above.push(await this.#page(encodeUpperPage(level, page), at));
    }
    return above;
  }

  /** A page that did not change is not written again. */
  async #page(
    plain: Buffer,
    { first, level, index }: { first: string; level: number; index: number },
  ): Promise<PageEntry> {
    const found = await this.#options.known?.page(this.#options.cipher.blockId(plain), { first, level });
    const known = found && kept(found);
    if (!known) return { first, root: await this.#add(plain, { type: NODE.filePage, level, index }) };
    this.#use(known, undefined);
    return { first, root: known };
  }

  async #add(
    plain: Buffer,
    node: { type: typeof NODE.filePage | typeof NODE.segmentPage; level: number; index: number },
  ): Promise<Reference> {
    const { segments, cipher } = this.#options;
    const place = await segments.addNode(plain, { ...node, path: '' });
    const reference = kept({ id: cipher.blockId(plain), frame: { place }, plainOffset: 0 });
    this.#writtenBytes += place.length;
    this.#use(reference, undefined);
    return reference;
  }

  /** @param bytes of a block; undefined for a node, which counts as it is stored. */
  #use(reference: Reference | undefined, bytes: number | undefined): void {
    const place = reference?.frame.place;
    if (place) this.#options.usage.add(place.segment, bytes ?? place.length);
  }

  *#uses(entries: Iterable<readonly [string, number]>): Generator<SegmentUse> {
    const { segments, usage, segmentFacts } = this.#options;
    for (const [name, used] of entries) {
      const own = usage.ownNumber(name);
      const facts = own === undefined ? segmentFacts(name) : segments.written(own);
      if (!facts) throw new RangeError(`no facts about segment ${name}`);
      yield { name, size: facts.size, total: facts.total, used };
    }
  }
}

/** Its id is a few bytes of a pool or of a page. */
function kept(reference: Reference): Reference {
  return { ...reference, id: ownCopy(reference.id) };
}

function* pagesOf(files: FileList): Generator<FileEntry[]> {
  if (files.count === 0) yield [];
  yield* paginate(files.sorted(), (file) => file.path);
}
