import { ownCopy } from './bytes.ts';
import { compressSync } from './frame.ts';
import { MAX_OBJECT_PLAIN_BYTES, type PackedPart, PART_BYTES } from './small-object.ts';

/** Collects what tools print. Kept compressed: a server with 100,000 tables makes 20 MB of lines. */
export class LogBook {
  readonly #parts: PackedPart[] = [];
  #lines: string[] = [];
  #bytes = 0;
  #total = 0;
  #dropped = 0;

  add(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#total + bytes > MAX_OBJECT_PLAIN_BYTES - PART_BYTES) {
      this.#dropped += 1;
      return;
    }
    if (this.#bytes + bytes > PART_BYTES) this.#pack();
    this.#lines.push(line);
    this.#bytes += bytes;
    this.#total += bytes;
  }

  /** What was collected, ready to be stored. */
  parts(): readonly PackedPart[] {
    if (this.#dropped > 0) this.#lines.push(`holdfast: ${this.#dropped} more lines are not kept`);
    this.#pack();
    return this.#parts;
  }

  #pack(): void {
    if (this.#lines.length === 0) return;
    const plain = Buffer.from(`${this.#lines.join('\n')}\n`);
    const { codec, body } = compressSync(plain, 3);
    // What comes out is a small part of memory that would do for all of it.
    this.#parts.push({ codec, body: ownCopy(body), plainLength: plain.length });
    this.#lines = [];
    this.#bytes = 0;
  }
}
