import type { Sealed } from './documents.ts';
import { CONTENT } from './frame.ts';
import { logKey } from './names.ts';
import { readObjectIfThere } from './read-object.ts';
import type { Repository } from './repository.ts';
import { decodeObject } from './small-object.ts';

/** What the tools printed when the backup was made; undefined when no log was kept. */
export async function readLog(
  repository: Repository,
  sealed: Sealed,
  signal: AbortSignal,
): Promise<string | undefined> {
  const key = logKey(sealed);
  const bytes = await readObjectIfThere(repository.storage, key, signal);
  return bytes && decodeObject(bytes, { content: CONTENT.log, cipher: repository.cipher, name: key }).toString('utf8');
}
