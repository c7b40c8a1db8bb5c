import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What a file may have that is not on its way to the disk yet. */
const UNSYNCED_BYTES = 16 << 20;

/**
 * The files that a restore fills, each created at its full size. Large files are sent to the disk while others are written:
 * it would idle meanwhile, and whoever syncs all in the end would wait for it.
 */
export class FileTable implements AsyncDisposable {
  readonly #root: string;
  /** By number, below the root: a server may have some hundred thousand of them, so little is kept of each. */
  readonly #paths: string[] = [];
  readonly #sizes: number[] = [];
  readonly #unsynced = new Map<number, number>();
  readonly #directories = new Set<string>();
  #syncing: Promise<void> | undefined;
  #failure: { readonly cause: unknown } | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** @returns the file's number. The file must not be there yet; until it is written it is one hole. */
  async create(path: string, size: number): Promise<number> {
    const full = join(this.#root, path);
    await this.#ensureDirectory(dirname(full));
    await using handle = await open(
      full,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o640,
    );
    if (size > 0) await handle.truncate(size);
    this.#sizes.push(size);
    return this.#paths.push(path) - 1;
  }

  /** Bytes. */
  sizeOf(file: number): number {
    return this.#sizes[file] ?? 0;
  }

  pathOf(file: number): string {
    const path = this.#paths[file];
    if (path === undefined) throw new RangeError(`no file ${file}`);
    return join(this.#root, path);
  }

  /** To be called when bytes were written. Throws what the disk said too late for earlier ones. */
  written(file: number, bytes: number): void {
    this.#check();
    if (this.sizeOf(file) < UNSYNCED_BYTES) return;
    const unsynced = (this.#unsynced.get(file) ?? 0) + bytes;
    this.#unsynced.set(file, unsynced);
    if (unsynced < UNSYNCED_BYTES || this.#syncing) return;
    this.#unsynced.delete(file);
    this.#syncing = this.#sync(this.pathOf(file));
  }

  /** To be called after the last write: throws what the disk said too late for any of them. */
  async finish(): Promise<void> {
    await this.#syncing;
    this.#check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#syncing;
  }

  /** One file at a time. The system tells of an error only once, so it is kept for the next caller. */
  async #sync(path: string): Promise<void> {
    try {
      await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      await handle.datasync();
    } catch (cause) {
      this.#failure ??= { cause };
    }
    this.#syncing = undefined;
  }

  #check(): void {
    if (this.#failure) throw this.#failure.cause;
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
