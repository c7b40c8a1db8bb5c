import { readFile, stat } from 'node:fs/promises';
import { InvalidRequest } from '../lib/failure.ts';
import type { Unlock } from '../repository/slots.ts';
import type { Output } from './output.ts';

export interface KeySources {
  readonly passphraseFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** From the environment; counts only where no file is named. */
  readonly passphrase?: string | undefined;
}

const maximumBytes = 64 * 1024;

/** The way into an encrypted repository that the person gave, or undefined. @throws InvalidRequest for files that cannot be read. */
export async function readUnlock(sources: KeySources, output: Output): Promise<Unlock | undefined> {
  const { passphraseFile, keyFile, passphrase } = sources;
  if (passphraseFile !== undefined && keyFile !== undefined) {
    throw new InvalidRequest('two-keys', 'Cannot use both a passphrase file and a key file', {
      nextStep: 'Give one of them; look at the environment, too.',
    });
  }
  if (passphraseFile !== undefined)
    return { kind: 'passphrase', passphrase: await readPassphrase(passphraseFile, output) };
  if (keyFile !== undefined) return { kind: 'key-file', bytes: await readSecretFile(keyFile, output) };
  return passphrase === undefined ? undefined : { kind: 'passphrase', passphrase };
}

/** The first line of a file; what editors and `echo` put at its end is no part of it. */
export async function readPassphrase(path: string, output: Output): Promise<string> {
  const text = (await readSecretFile(path, output)).toString('utf8');
  const [line = '', ...rest] = text.split(/\r?\n/);
  if (line === '' || rest.some((more) => more !== '')) {
    throw new InvalidRequest('secret-file-invalid', `Cannot use ${path} as it does not hold exactly one line`);
  }
  return line;
}

async function readSecretFile(path: string, output: Output): Promise<Buffer> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o170_000) === 0o100_000 && (mode & 0o004) !== 0)
      output.warn(`Everyone on this machine may read ${path}; chmod 600 keeps it to its owner.`);
    const bytes = await readFile(path);
    if (bytes.length <= maximumBytes) return bytes;
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new InvalidRequest('secret-file-unreadable', `Cannot read ${path} as the system refused: ${why}`, {
      cause,
      nextStep: 'Check the path, and that the user who runs this may read the file.',
    });
  }
  throw new InvalidRequest('secret-file-invalid', `Cannot use ${path} as it is larger than ${maximumBytes} bytes`);
}
