import { withNextStep } from '../lib/failure.ts';
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
  try {
    const bytes = await readObjectIfThere(repository.storage, key, signal);
    const content = { content: CONTENT.log, cipher: repository.cipher, name: key };
    return bytes && decodeObject(bytes, content).toString('utf8');
  } catch (error) {
    throw withNextStep(error, 'The backup itself may be whole all the same: `holdfast repository check` tells.');
  }
}
