import { randomBytes } from 'node:crypto';
import { link, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PermanentFailure } from '../lib/failure.ts';

const KEY_BYTES = 32;
const OTHERS_MAY = 0o077;

/**
 * The key of the secrets at rest. It is made at the first start and kept in a file that only its owner may read.
 * @param isNew may one be made? Not where something was encrypted already.
 * @throws PermanentFailure `secrets-key-lost`, `secrets-key-open`, `secrets-key-damaged`
 */
export async function readOrMakeKey(file: string, { isNew }: { readonly isNew: boolean }): Promise<Buffer> {
  const found = await readKey(file);
  if (found !== undefined) return found;
  if (!isNew)
    throw new PermanentFailure(
      'secrets-key-lost',
      `Cannot read the secrets of the manager as the file with their key is not there: ${file}`,
      { nextStep: 'Put the file back from a copy of the data directory; without it the secrets must be entered anew.' },
    );
  await makeKey(file);
  const made = await readKey(file);
  if (made === undefined) throw damaged(file);
  return made;
}

async function readKey(file: string): Promise<Buffer | undefined> {
  const bytes = await readFile(file).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  if (((await stat(file)).mode & OTHERS_MAY) !== 0)
    throw new PermanentFailure(
      'secrets-key-open',
      `Cannot use the key of the secrets as others on this host may read its file: ${file}`,
      { nextStep: `Make it yours alone: chmod 600 ${file}` },
    );
  if (bytes.length !== KEY_BYTES) throw damaged(file);
  return bytes;
}

/** Written whole under another name first, so that a crash leaves no half a key; a key that is there is never replaced. */
async function makeKey(file: string): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(randomBytes(KEY_BYTES));
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
  const directory = await open(dirname(file), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function damaged(file: string): PermanentFailure {
  return new PermanentFailure(
    'secrets-key-damaged',
    `Cannot use the key of the secrets as its file is not ${KEY_BYTES} bytes long: ${file}`,
    { nextStep: 'Put the file back from a copy of the data directory.' },
  );
}
