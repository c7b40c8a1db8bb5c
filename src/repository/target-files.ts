import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { RunTarget } from './range-job.ts';

/** Open files at once. */
const MAX_OPEN = 64;
/** Larger writes make the system look for larger free pieces of memory to keep them in, which can take four times as long. */
const WRITE_BYTES = 512 << 10;
/** Holes are left in sparse files at this grain. */
const HOLE_BYTES = 4096;
const ZEROS = Buffer.alloc(HOLE_BYTES);

/** Writes into files that are there, keeping the last few open. It waits for the system: for a thread of its own. */
export class TargetFiles implements Disposable {
  readonly #open = new Map<string, number>();

  write({ path, position, isSparse }: RunTarget, bytes: Buffer): void {
    const file = this.#file(path);
    if (!isSparse) {
      writeAll(file, bytes, position);
      return;
    }
    for (let at = 0; at < bytes.length; at += HOLE_BYTES) {
      const part = bytes.subarray(at, at + HOLE_BYTES);
      if (!part.equals(ZEROS.subarray(0, part.length))) writeAll(file, part, position + at);
    }
  }

  [Symbol.dispose](): void {
    for (const [path, file] of this.#open) {
      this.#open.delete(path);
      closeSync(file);
    }
  }

  #file(path: string): number {
    const file = this.#open.get(path) ?? openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    // The one used last stands last.
    this.#open.delete(path);
    this.#open.set(path, file);
    const [oldest] = this.#open;
    if (oldest && this.#open.size > MAX_OPEN) {
      this.#open.delete(oldest[0]);
      closeSync(oldest[1]);
    }
    return file;
  }
}

function writeAll(file: number, bytes: Buffer, position: number): void {
  for (let at = 0; at < bytes.length;) {
    at += writeSync(file, bytes, at, Math.min(WRITE_BYTES, bytes.length - at), position + at);
  }
}
