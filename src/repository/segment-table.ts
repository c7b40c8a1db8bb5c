import { ByteReader, ByteWriter } from './bytes.ts';
import { NODE } from './footer.ts';
import { decodeNames, NameTable } from './name-table.ts';

/** What a backup takes from one segment. */
export interface SegmentUse {
  readonly name: string;
  /** Bytes of the object. */
  readonly size: number;
  /** Bytes of blocks and nodes in it, and how many of them this backup refers to. */
  readonly total: number;
  readonly used: number;
}

const MAX_ENTRIES = 4096;

export function encodeSegmentPage(uses: readonly SegmentUse[]): Buffer {
  const names = new NameTable();
  const body = new ByteWriter(32 << 10);
  for (const use of uses) body.varint(names.add(use.name)).varint(use.size).varint(use.total).varint(use.used);
  const head = new ByteWriter().u8(NODE.segmentPage).varint(uses.length);
  names.encode(head);
  return Buffer.concat([head.view(), body.view()]);
}

export function decodeSegmentPage(bytes: Buffer, what: string): SegmentUse[] {
  const reader = new ByteReader(bytes, what);
  if (reader.u8() !== NODE.segmentPage) throw reader.damaged('not a page of segments');
  const count = reader.varint(MAX_ENTRIES);
  const names = decodeNames(reader, MAX_ENTRIES);
  const uses = Array.from({ length: count }, () => {
    const name = names[reader.varint(MAX_ENTRIES)];
    if (name === undefined) throw reader.damaged('a segment has no name');
    return { name, size: reader.varint(), total: reader.varint(), used: reader.varint() };
  });
  reader.end();
  return uses;
}

export function* segmentPages(uses: Iterable<SegmentUse>): Generator<SegmentUse[]> {
  let page: SegmentUse[] = [];
  for (const use of uses) {
    page.push(use);
    if (page.length < MAX_ENTRIES) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
