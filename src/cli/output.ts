import { plainText } from './plain-text.ts';

export interface OutputOptions {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  /** Stdout carries data (`export`), so that everything else goes to stderr. */
  readonly isStdoutTaken?: boolean;
  /** Nobody reads stdout any more. */
  readonly onReaderGone: (error: Error) => void;
}

/**
 * What a command says: text for people, or with `--json` one JSON document on each line of stdout. Every document has a
 * `type`; `result` is what was asked for, `progress` and `log` may come before it.
 */
export class Output {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  readonly #isStdoutTaken: boolean;
  readonly #onReaderGone: (error: Error) => void;
  #isWatched = false;
  /** Takes a progress bar off the terminal before something else is written. */
  #clear: () => void = () => undefined;

  constructor(options: OutputOptions) {
    this.isJson = options.isJson;
    this.isQuiet = options.isQuiet;
    this.isVerbose = options.isVerbose;
    this.#isStdoutTaken = options.isStdoutTaken ?? false;
    this.#onReaderGone = options.onReaderGone;
  }

  /** From now on stdout carries data. */
  withoutStdout(): Output {
    return new Output({
      isJson: this.isJson,
      isQuiet: this.isQuiet,
      isVerbose: this.isVerbose,
      isStdoutTaken: true,
      onReaderGone: this.#onReaderGone,
    });
  }

  /** Lines of the answer, for people. */
  text(...lines: readonly string[]): void {
    if (!this.isJson) this.#write(lines.map((line) => `${line}\n`).join(''));
  }

  /** What people may want to know and did not ask for. */
  remark(...lines: readonly string[]): void {
    if (!this.isQuiet) this.text(...lines);
  }

  json(document: { readonly type: string } & Readonly<Record<string, unknown>>): void {
    if (this.isJson) this.#write(`${JSON.stringify(document)}\n`);
  }

  /** A line that a tool printed: shown with `--verbose` only. */
  log(line: string): void {
    if (!this.isVerbose) return;
    this.json({ type: 'log', line });
    this.stderr(plainText(line));
  }

  warn(message: string): void {
    this.json({ type: 'warning', message });
    this.stderr(`Warning: ${message}`);
  }

  /** Only for people: with `--json` nothing is written on stderr. */
  stderr(...lines: readonly string[]): void {
    if (this.isJson) return;
    this.#clear();
    process.stderr.write(lines.map((line) => `${line}\n`).join(''));
  }

  onClear(clear: () => void): void {
    this.#clear = clear;
  }

  #write(text: string): void {
    this.#clear();
    const stream = this.#isStdoutTaken ? process.stderr : process.stdout;
    // Not before: the first look at stdout changes how it is written to, which `export` does by itself.
    if (!this.#isWatched) stream.on('error', this.#onReaderGone);
    this.#isWatched = true;
    stream.write(text);
  }
}
