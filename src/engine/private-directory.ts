import { chmod, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeOwnedDirectory } from '../lib/owned-directory.ts';

/** A directory that only this user may enter, removed with all that is in it when disposed of. */
export class PrivateDirectory implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<PrivateDirectory> {
    const path = await makeOwnedDirectory(tmpdir(), 'holdfast-private');
    await chmod(path, 0o700);
    return new PrivateDirectory(path);
  }

  /** Writes a file that only this user may read, and returns its path. */
  async write(name: string, content: string): Promise<string> {
    const path = join(this.path, name);
    await writeFile(path, content, { mode: 0o600, flag: 'wx' });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
