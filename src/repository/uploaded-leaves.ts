import type { Cipher } from './cipher.ts';
import { decodeExtent, type Extent, type FramePlace, type Reference } from './extent.ts';
import { type FooterFrame, NODE, type NodeEntry } from './footer.ts';
import type { FrameReader } from './frame-reader.ts';

/** Numbers that describe one node: segment, offset, length. */
const FIELDS = 3;

/**
 * The nodes that earlier attempts of the same backup uploaded, found by the footers of their segments. Blocks whose leaf was
 * not yet written when the attempt died are not found and are uploaded again: at most a few MiB for each open file. Nobody knows the
 * ids of these nodes, so only those are used that a tag or a checksum vouches for.
 */
export class UploadedLeaves {
  readonly #segments: string[] = [];
  /** The numbers of one node after the other. A large database has a million: objects would take ten times the memory. */
  #places = new Uint32Array(1024 * FIELDS);
  #count = 0;
  /** `<level> <path>` to the nodes of that level of the file in their order: which of the places is theirs. */
  readonly #byFile = new Map<string, number[]>();
  readonly #reader: FrameReader;
  readonly #cipher: Cipher;

  constructor(reader: FrameReader, cipher: Cipher) {
    this.#reader = reader;
    this.#cipher = cipher;
  }

  addSegment(segment: string, frames: readonly FooterFrame[]): void {
    this.#segments.push(segment);
    for (const frame of frames) {
      if (frame.kind !== 'node' || frame.node.type !== NODE.extent) continue;
      this.#add(frame.node, [this.#segments.length - 1, frame.offset, frame.bodyLength]);
    }
  }

  async leaf(path: string, index: number): Promise<Extent | undefined> {
    const bytes = await this.#bytes(path, { level: 1, index });
    return bytes && decodeExtent(bytes, `a leaf of ${path}`);
  }

  async node(path: string, at: { readonly level: number; readonly index: number }): Promise<Reference | undefined> {
    const bytes = await this.#bytes(path, at);
    const place = this.#place(path, at);
    return bytes && place && { id: this.#cipher.blockId(bytes), frame: { place }, plainOffset: 0 };
  }

  async #bytes(path: string, at: { readonly level: number; readonly index: number }): Promise<Buffer | undefined> {
    const place = this.#place(path, at);
    return place && this.#reader.checkedFrame(place);
  }

  #add({ path, level, index }: NodeEntry, place: readonly number[]): void {
    if ((this.#count + 1) * FIELDS > this.#places.length) {
      const grown = new Uint32Array(this.#places.length * 2);
      grown.set(this.#places);
      this.#places = grown;
    }
    this.#places.set(place, this.#count * FIELDS);
    const key = keyOf(path, level);
    const nodes = this.#byFile.get(key) ?? [];
    if (nodes.length === 0) this.#byFile.set(key, nodes);
    nodes[index] = this.#count;
    this.#count += 1;
  }

  #place(path: string, { level, index }: { readonly level: number; readonly index: number }): FramePlace | undefined {
    const position = this.#byFile.get(keyOf(path, level))?.[index];
    if (position === undefined) return undefined;
    const [number = 0, offset = 0, length = 0] = this.#places.subarray(position * FIELDS, (position + 1) * FIELDS);
    const segment = this.#segments[number];
    return segment === undefined ? undefined : { segment, offset, length };
  }
}

function keyOf(path: string, level: number): string {
  return `${level} ${path}`;
}
