import { StringDecoder } from 'node:string_decoder';

/**
 * Splits text that arrives in parts into lines, without their ends. A line longer than `maximum` characters is cut there
 * and its rest dropped, so a program that never ends its line cannot fill the memory.
 */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  readonly #maximum: number;
  #partial = '';

  constructor(onLine: (line: string) => void, maximum = 64 * 1024) {
    this.#onLine = onLine;
    this.#maximum = maximum;
  }

  push(bytes: Buffer): void {
    const parts = this.#decoder.write(bytes).split('\n');
    const last = parts.pop() ?? '';
    for (const part of parts) {
      this.#append(part);
      this.#emit();
    }
    this.#append(last);
  }

  /** What came after the last line end is a line too. */
  end(): void {
    this.#append(this.#decoder.end());
    if (this.#partial !== '') this.#emit();
  }

  #append(text: string): void {
    this.#partial += text.slice(0, this.#maximum - this.#partial.length);
  }

  #emit(): void {
    const line = this.#partial.endsWith('\r') ? this.#partial.slice(0, -1) : this.#partial;
    this.#partial = '';
    this.#onLine(line);
  }
}
