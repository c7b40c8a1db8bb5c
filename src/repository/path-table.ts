import { crc32 } from 'node:zlib';
import { ByteWriter } from './bytes.ts';

/** Numbers paths as they come, and finds their numbers. They are kept as bytes: as strings in a map they take three times the memory. */
export class PathTable {
  readonly #bytes = new ByteWriter(64 << 10);
  /** Where each path ends, by number. */
  readonly #ends: number[] = [];
  /** Numbers by hash, one more than they are: 0 is a free slot. At most half are in use. */
  #slots = new Int32Array(1024);

  get count(): number {
    return this.#ends.length;
  }

  find(path: string): number | undefined {
    const found = this.#slots[this.#slotOf(Buffer.from(path))];
    return found === undefined || found === 0 ? undefined : found - 1;
  }

  /** @returns the number of a path that is not there yet. */
  add(path: string): number {
    if ((this.count + 1) * 2 > this.#slots.length) this.#grow();
    const bytes = Buffer.from(path);
    const slot = this.#slotOf(bytes);
    if (this.#slots[slot] !== 0) throw new RangeError(`${path} is there already`);
    this.#bytes.bytes(bytes);
    this.#slots[slot] = this.#ends.push(this.#bytes.length);
    return this.count - 1;
  }

  pathOf(number: number): string {
    return this.#bytes.view().toString('utf8', this.#start(number), this.#end(number));
  }

  /** The numbers in ascending order of their paths' bytes. */
  sorted(): number[] {
    const all = this.#bytes.view();
    const numbers = this.#ends.map((_, number) => number);
    return numbers.sort((a, b) => all.compare(all, this.#start(b), this.#end(b), this.#start(a), this.#end(a)));
  }

  /** The slot that has the path, or the free one where it belongs. */
  #slotOf(path: Buffer): number {
    const mask = this.#slots.length - 1;
    const all = this.#bytes.view();
    for (let slot = crc32(path) & mask; ; slot = (slot + 1) & mask) {
      const number = (this.#slots[slot] ?? 0) - 1;
      if (number < 0) return slot;
      if (path.compare(all, this.#start(number), this.#end(number)) === 0) return slot;
    }
  }

  #grow(): void {
    const all = this.#bytes.view();
    this.#slots = new Int32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let number = 0; number < this.count; number += 1) {
      let slot = crc32(all.subarray(this.#start(number), this.#end(number))) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = number + 1;
    }
  }

  #start(number: number): number {
    return this.#ends[number - 1] ?? 0;
  }

  #end(number: number): number {
    return this.#ends[number] ?? 0;
  }
}
