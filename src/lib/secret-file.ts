import { open } from 'node:fs/promises';
import { PermanentFailure } from './failure.ts';

const maximumBytes = 64 * 1024;

/**
 * The bytes of a file that holds a secret; its content never reaches a message. Read anew each time, so that what is changed
 * counts at once.
 * @throws PermanentFailure `secret-file-unreadable`, `secret-file-open`
 */
export async function readSecretFile(path: string): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const { mode, size } = await file.stat();
    if ((mode & 0o027) !== 0) throw tooOpen(path, mode);
    if (size > maximumBytes) throw unreadableSecret(path, `it is longer than ${maximumBytes} bytes`);
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof PermanentFailure) throw cause;
    throw unreadableSecret(
      path,
      cause instanceof Error && 'code' in cause ? String(cause.code) : 'the system refused',
      cause,
    );
  }
}

/** The first line, without its end. */
export async function readSecretLine(path: string): Promise<string> {
  const [line = ''] = (await readSecretFile(path)).toString('utf8').split(/\r?\n/);
  if (line === '') throw unreadableSecret(path, 'its first line is empty');
  return line;
}

function tooOpen(path: string, mode: number): PermanentFailure {
  return new PermanentFailure(
    'secret-file-open',
    `Cannot use the secret in ${path} as others may read or change the file: its mode is ${(mode & 0o777).toString(8)}`,
    { nextStep: `Take the rights of others away: chmod 600 ${path}` },
  );
}

export function unreadableSecret(path: string, why: string, cause?: unknown): PermanentFailure {
  return new PermanentFailure(
    'secret-file-unreadable',
    `Cannot use the secret in ${path} as it cannot be read: ${why}`,
    { cause, nextStep: 'Check the path where the configuration names it, and that this user may read it.' },
  );
}
