import type { Cipher } from './cipher.ts';
import { decodeExtent, type Extent, type FramePlace, type Reference } from './extent.ts';
import { type FooterFrame, NODE } from './footer.ts';
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
  readonly #places: number[] = [];
  /** `<level> <index> <path>` to a position in the list of places. */
  readonly #byName = new Map<string, number>();
  readonly #reader: FrameReader;
  readonly #cipher: Cipher;

  constructor(reader: FrameReader, cipher: Cipher) {
    this.#reader = reader;
    this.#cipher = cipher;
  }

  get count(): number {
    return this.#byName.size;
  }

  addSegment(segment: string, frames: readonly FooterFrame[]): void {
    this.#segments.push(segment);
    for (const frame of frames) {
      if (frame.kind !== 'node' || frame.node.type !== NODE.extent) continue;
      this.#byName.set(nameOf(frame.node.path, frame.node), this.#places.length / FIELDS);
      this.#places.push(this.#segments.length - 1, frame.offset, frame.bodyLength);
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

  #place(path: string, at: { readonly level: number; readonly index: number }): FramePlace | undefined {
    const position = this.#byName.get(nameOf(path, at));
    if (position === undefined) return undefined;
    const [number = 0, offset = 0, length = 0] = this.#places.slice(position * FIELDS, (position + 1) * FIELDS);
    const segment = this.#segments[number];
    return segment === undefined ? undefined : { segment, offset, length };
  }
}

function nameOf(path: string, { level, index }: { readonly level: number; readonly index: number }): string {
  return `${level} ${index} ${path}`;
}
