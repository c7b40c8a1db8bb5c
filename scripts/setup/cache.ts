import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where everything that the set-up fetches is kept. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast');
}

/**
 * The folder `name` of the cache, built when it is not there. `build` fills the folder `into`, which gets its lasting name
 * `final` only when `build` has succeeded, so what was interrupted never looks complete.
 */
export async function cached(name: string, build: (into: string, final: string) => Promise<void>): Promise<string> {
  const final = join(cacheFolder(), name);
  if (existsSync(final)) {
    return final;
  }
  const into = `${final}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  await mkdir(into, { recursive: true });
  try {
    await build(into, final);
    await rename(into, final);
  } catch (error) {
    // Another process may have built the same thing meanwhile; either copy will do.
    if (!existsSync(final)) {
      throw error;
    }
  } finally {
    await rm(into, { recursive: true, force: true });
  }
  return final;
}
