import { EventEmitter, once } from 'node:events';
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface JobLogOptions {
  /** Holds the files of this log and of others. */
  readonly directory: string;
  /** Distinguishes them; without a dot. */
  readonly name: string;
  /** A file is full at this size; two are kept. Default 8 MiB. */
  readonly fileBytes?: number;
}

export interface FollowOptions {
  /** The first line wanted, counted from 0. */
  readonly from: number;
  readonly signal: AbortSignal;
  /** Goes on after the last line until the log is closed, or nothing is written for this long; 0 ends at once. */
  readonly idleMs: number;
}

interface LogFile {
  readonly path: string;
  /** Number of its first line. */
  readonly first: number;
}

const defaultFileBytes = 8 * 1024 * 1024;
const flushMs = 200;
const readBytes = 64 * 1024;
const pendingLimit = 4 * 1024 * 1024;

/**
 * The lines of one job in files of bounded size: the newest 8 to 16 MiB are kept. Lines keep their numbers, also over a
 * restart. Writing never fails: a full disk costs lines, not the backup.
 */
export class JobLog implements AsyncDisposable {
  readonly #options: JobLogOptions;
  readonly #events = new EventEmitter().setMaxListeners(0);
  #files: LogFile[] = [];
  #current: { readonly handle: FileHandle; size: number } | undefined;
  #pending: string[] = [];
  #pendingSize = 0;
  #written = 0;
  #lost = 0;
  #isClosed: boolean;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  private constructor(options: JobLogOptions, isClosed: boolean) {
    this.#options = options;
    this.#isClosed = isClosed;
  }

  /** Goes on behind what is there. A log that is only read is `closed`. */
  static async open(options: JobLogOptions & { readonly isClosed?: boolean }): Promise<JobLog> {
    const log = new JobLog(options, options.isClosed ?? false);
    log.#files = await findFiles(options);
    const last = log.#files.at(-1);
    if (last !== undefined) log.#written = last.first + (await countLines(last.path));
    return log;
  }

  static async remove(options: JobLogOptions): Promise<void> {
    for (const { path } of await findFiles(options)) await rm(path, { force: true });
  }

  add(line: string): void {
    if (this.#isClosed) return;
    if (this.#pendingSize > pendingLimit) {
      this.#lost += 1;
      return;
    }
    const text = line.replaceAll(/[\r\n]+/g, ' ');
    this.#pending.push(text);
    this.#pendingSize += text.length + 1;
    this.#timer ??= setTimeout(() => void this.flush(), flushMs);
  }

  /** Everything added so far can be read. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing = this.#flushing.then(async () => this.#write());
    await this.#flushing;
  }

  /** No more lines come; those that follow it reach its end. */
  async close(): Promise<void> {
    await this.flush();
    const handle = this.#current?.handle;
    this.#current = undefined;
    await handle?.sync().catch(() => undefined);
    await handle?.close();
    this.#isClosed = true;
    this.#events.emit('news');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Number of the first line that a reader gets who asks for this one. */
  firstFrom(from: number): number {
    return Math.max(from, this.#files[0]?.first ?? 0);
  }

  /** Whole lines, each with its end, a few at a time. */
  async *read({ from, signal, idleMs }: FollowOptions): AsyncGenerator<Buffer, void, undefined> {
    let next = this.firstFrom(from);
    for (;;) {
      const isClosed = this.#isClosed;
      for await (const part of this.#readWritten(next, signal)) {
        next += part.lines;
        yield part.bytes;
      }
      if (isClosed || idleMs === 0) return;
      if (next < this.#written) continue;
      if (!(await this.#news(idleMs, signal))) return;
    }
  }

  async *#readWritten(from: number, signal: AbortSignal): AsyncGenerator<{ bytes: Buffer; lines: number }> {
    let next = from;
    // New files may come and old ones go meanwhile.
    const files = this.#files.slice();
    for (const file of files) {
      const following = this.#files.find(({ first }) => first > file.first);
      if (following !== undefined && following.first <= next) continue;
      for await (const bytes of readWholeLines(file.path, next - file.first)) {
        signal.throwIfAborted();
        const lines = countIn(bytes);
        next += lines;
        yield { bytes, lines };
      }
    }
  }

  async #news(idleMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#isClosed) return true;
    const limit = AbortSignal.timeout(idleMs);
    try {
      await once(this.#events, 'news', { signal: AbortSignal.any([signal, limit]) });
      return true;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  async #write(): Promise<void> {
    const lines = this.#pending;
    const lost = this.#lost;
    this.#pending = [];
    this.#pendingSize = 0;
    this.#lost = 0;
    if (lost > 0) lines.push(`holdfast: ${lost} lines came too fast to be kept here`);
    if (lines.length === 0) return;
    try {
      await this.#append(lines);
    } catch {
      this.#lost += lines.length;
    }
    this.#events.emit('news');
  }

  async #append(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    this.#current ??= await this.#openFile();
    await writeWhole(this.#current.handle, bytes, this.#current.size);
    this.#current.size += bytes.length;
    this.#written += lines.length;
    if (this.#current.size < (this.#options.fileBytes ?? defaultFileBytes)) return;
    const { handle } = this.#current;
    this.#current = undefined;
    await handle.close();
    for (const old of this.#files.splice(0, this.#files.length - 1)) await rm(old.path, { force: true });
  }

  async #openFile(): Promise<{ handle: FileHandle; size: number }> {
    const { directory, name } = this.#options;
    const path = join(directory, `${name}.${this.#written}.log`);
    const handle = await open(path, 'w', 0o600);
    // One that holds no whole line, left by a process that was killed, has the same name.
    this.#files = [...this.#files.filter((file) => file.path !== path), { path, first: this.#written }];
    return { handle, size: 0 };
  }
}

/** All of it or nothing: a line that was cut would shift those behind it. */
async function writeWhole(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  } catch (error) {
    await handle.truncate(position).catch(() => undefined);
    throw error;
  }
}

async function findFiles({ directory, name }: JobLogOptions): Promise<LogFile[]> {
  const files: LogFile[] = [];
  for (const entry of await readdir(directory)) {
    const [start, first, end] = entry.split('.');
    if (start === name && end === 'log' && /^\d{1,15}$/.test(first ?? ''))
      files.push({ path: join(directory, entry), first: Number(first) });
  }
  return files.toSorted((left, right) => left.first - right.first);
}

async function countLines(path: string): Promise<number> {
  let count = 0;
  for await (const bytes of readWholeLines(path, 0)) count += countIn(bytes);
  return count;
}

/** From the line of this number of the file on; a last one without an end is left out. */
async function* readWholeLines(path: string, skip: number): AsyncGenerator<Buffer> {
  await using file = await openIfThere(path);
  if (file === undefined) return;
  let rest: Buffer = Buffer.alloc(0);
  let toSkip = skip;
  for (let position = 0; ;) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(readBytes), 0, readBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    const end = bytes.lastIndexOf(10) + 1;
    rest = bytes.subarray(end);
    const { left, skipped } = dropLines(bytes.subarray(0, end), toSkip);
    toSkip -= skipped;
    if (left.length > 0) yield left;
  }
}

/** Lines of a log that was pruned meanwhile are gone. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r').catch(() => undefined);
}

function dropLines(bytes: Buffer, count: number): { left: Buffer; skipped: number } {
  let start = 0;
  let skipped = 0;
  while (skipped < count && start < bytes.length) {
    start = bytes.indexOf(10, start) + 1;
    skipped += 1;
  }
  return { left: bytes.subarray(start), skipped };
}

function countIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count += 1;
  return count;
}
