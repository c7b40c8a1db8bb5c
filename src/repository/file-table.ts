import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Open files at once. */
const MAX_HANDLES = 128;
/** Larger writes make the system look for larger free pieces of memory to keep them in, which can take four times as long. */
const WRITE_BYTES = 256 << 10;
/** What a file may have that is not on its way to the disk yet. */
const UNSYNCED_BYTES = 16 << 20;

interface OpenFile {
  readonly handle: Promise<FileHandle>;
  uses: number;
  unsynced: number;
}

/**
 * Writes into many files, keeping the last few open, each created at its full size. Large files are sent to the disk while
 * others are written: it would idle meanwhile, and whoever syncs all in the end would wait for it.
 */
export class FileTable {
  readonly #root: string;
  readonly #paths: string[] = [];
  readonly #handles = new Map<number, OpenFile>();
  #syncing: Promise<void> | undefined;
  #failure: { readonly cause: unknown } | undefined;
  readonly #directories = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** @returns the file's number. The file must not be there yet; until it is written it is one hole. */
  async create(path: string, size: number): Promise<number> {
    const full = join(this.#root, path);
    await this.#ensureDirectory(dirname(full));
    const handle = await open(
      full,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o640,
    );
    try {
      if (size > 0) await handle.truncate(size);
    } finally {
      await handle.close();
    }
    this.#paths.push(full);
    return this.#paths.length - 1;
  }

  async write(file: number, bytes: Buffer, position: number): Promise<void> {
    this.#check();
    await this.#use(file, async (open) => {
      const handle = await open.handle;
      for (let at = 0; at < bytes.length;) {
        at += (await handle.write(bytes, at, Math.min(WRITE_BYTES, bytes.length - at), position + at)).bytesWritten;
      }
      open.unsynced += bytes.length;
      if (open.unsynced >= UNSYNCED_BYTES) this.#syncing ??= this.#sync(open);
    });
  }

  /** To be called after the last write: throws what the disk said too late for any of them. */
  async finish(): Promise<void> {
    await this.#syncing;
    this.#check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#syncing;
    for (const [file, { handle }] of this.#handles) {
      this.#handles.delete(file);
      await handle.then(
        async (opened) => opened.close(),
        () => undefined,
      );
    }
  }

  async #use(file: number, work: (open: OpenFile) => Promise<void>): Promise<void> {
    const path = this.#paths[file];
    if (path === undefined) throw new RangeError(`no file ${file}`);
    const kept = this.#handles.get(file) ?? {
      handle: open(path, constants.O_WRONLY | constants.O_NOFOLLOW),
      uses: 0,
      unsynced: 0,
    };
    this.#handles.delete(file);
    this.#handles.set(file, kept);
    kept.uses += 1;
    try {
      await work(kept);
    } finally {
      kept.uses -= 1;
      await this.#closeOldest();
    }
  }

  /** One file at a time. The system tells of an error only once, so it is kept for the next caller. */
  async #sync(open: OpenFile): Promise<void> {
    open.uses += 1;
    open.unsynced = 0;
    try {
      await (await open.handle).datasync();
    } catch (cause) {
      this.#failure ??= { cause };
    }
    open.uses -= 1;
    this.#syncing = undefined;
  }

  #check(): void {
    if (this.#failure) throw this.#failure.cause;
  }

  async #closeOldest(): Promise<void> {
    if (this.#handles.size <= MAX_HANDLES) return;
    for (const [file, { handle, uses }] of this.#handles) {
      if (uses > 0) continue;
      this.#handles.delete(file);
      await (await handle).close();
      return;
    }
  }

  async #ensureDirectory(directory: string): Promise<void> {
    if (this.#directories.has(directory)) return;
    if (directory !== this.#root) await this.#ensureDirectory(dirname(directory));
    await mkdir(directory, { recursive: directory === this.#root, mode: 0o750 }).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    });
    this.#directories.add(directory);
  }
}
