import { ByteReader, ByteWriter } from './bytes.ts';
import { type Reference, ZERO } from './extent.ts';
import { decodeReference, encodeReference, type FileEntry } from './file-page.ts';
import { NameTable } from './name-table.ts';
import { PathTable } from './path-table.ts';

/**
 * The files of a backup that is being written. They are kept packed: a server with 100,000 tables has more files than that,
 * and as objects they would take more memory than all the rest of the program.
 */
export class FileList {
  readonly #paths = new PathTable();
  /** Where the packed entry begins, by the path's number; -1 as long as the file is not complete. */
  readonly #positions: number[] = [];
  readonly #packed = new ByteWriter(64 << 10);
  readonly #numbers = new NameTable();
  readonly #segments: string[] = [];
  readonly #waiting: FileEntry[] = [];
  #logicalBytes = 0;

  get count(): number {
    return this.#paths.count;
  }

  /** Sum of the sizes of the files that are complete. */
  get logicalBytes(): number {
    return this.#logicalBytes;
  }

  has(path: string): boolean {
    return this.#paths.find(path) !== undefined;
  }

  begin(path: string): void {
    this.#positions[this.#paths.add(path)] = -1;
  }

  /** The entry is kept as it is only until the frame of its root has a place. */
  complete(entry: FileEntry): void {
    this.#logicalBytes += entry.size;
    this.#waiting.push(entry);
    const unplaced = this.#waiting.findIndex(({ root }) => !isPlaced(root));
    for (const ready of this.#waiting.splice(0, unplaced === -1 ? this.#waiting.length : unplaced)) this.#pack(ready);
  }

  /** In the order of the list that is stored. Throws RangeError when a file is not complete, or its frame not placed. */
  *sorted(): Generator<FileEntry> {
    for (const entry of this.#waiting.splice(0)) this.#pack(entry);
    for (const number of this.#paths.sorted()) yield this.#entry(number);
  }

  #pack({ path, size, isSparse, height, root }: FileEntry): void {
    if (!isPlaced(root)) throw new RangeError(`${path} has no place`);
    const number = this.#paths.find(path);
    if (number === undefined) throw new RangeError(`${path} was not begun`);
    this.#positions[number] = this.#packed.length;
    this.#packed
      .varint(size)
      .u8(isSparse ? 1 : 0)
      .u8(height)
      .u8(root ? 1 : 0);
    if (!root) return;
    const segment = root.frame.place?.segment;
    if (segment !== undefined && this.#numbers.add(segment) === this.#segments.length) this.#segments.push(segment);
    encodeReference(this.#packed, root, this.#numbers);
  }

  #entry(number: number): FileEntry {
    const path = this.#paths.pathOf(number);
    const position = this.#positions[number] ?? -1;
    if (position === -1) throw new RangeError(`${path} is not complete`);
    const reader = new ByteReader(this.#packed.view().subarray(position), 'the files of this backup');
    const size = reader.varint();
    const isSparse = reader.u8() === 1;
    const height = reader.u8();
    const root = reader.u8() === 1 ? decodeReference(reader, this.#segments) : undefined;
    return { path, size, isSparse, height, root };
  }
}

function isPlaced(root: Reference | undefined): boolean {
  return root === undefined || root.frame === ZERO || root.frame.place !== undefined;
}
