import { open } from 'node:fs/promises';
import { PermanentFailure } from '../lib/failure.ts';

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
    if (size > maximumBytes) throw unreadable(path, `it is longer than ${maximumBytes} bytes`);
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof PermanentFailure) throw cause;
    throw unreadable(
      path,
      cause instanceof Error && 'code' in cause ? String(cause.code) : 'the system refused',
      cause,
    );
  }
}

/** The first line, without its end. */
export async function readSecretLine(path: string): Promise<string> {
  const [line = ''] = (await readSecretFile(path)).toString('utf8').split(/\r?\n/);
  if (line === '') throw unreadable(path, 'its first line is empty');
  return line;
}

export interface S3Credentials {
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
}

/** Lines `name = value` with the names that AWS's own credentials file has; others are ignored. */
export async function readCredentials(path: string): Promise<S3Credentials> {
  const values = new Map<string, string>();
  for (const line of (await readSecretFile(path)).toString('utf8').split('\n')) {
    const [, name = '', value = ''] = /^\s*([a-z_]+)\s*=\s*(.*?)\s*$/i.exec(line) ?? [];
    if (name !== '' && !values.has(name.toLowerCase())) values.set(name.toLowerCase(), value);
  }
  const [accessKeyId, secretAccessKey] = [values.get('aws_access_key_id'), values.get('aws_secret_access_key')];
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw unreadable(path, 'it lacks aws_access_key_id or aws_secret_access_key');
  return { accessKeyId, secretAccessKey, sessionToken: values.get('aws_session_token') };
}

function tooOpen(path: string, mode: number): PermanentFailure {
  return new PermanentFailure(
    'secret-file-open',
    `Cannot use the secret in ${path} as others may read or change the file: its mode is ${(mode & 0o777).toString(8)}`,
    { nextStep: `Take the rights of others away: chmod 600 ${path}` },
  );
}

function unreadable(path: string, why: string, cause?: unknown): PermanentFailure {
  return new PermanentFailure(
    'secret-file-unreadable',
    `Cannot use the secret in ${path} as it cannot be read: ${why}`,
    {
      cause,
      nextStep: "Check the path in the agent's file and that the agent's user may read it.",
    },
  );
}
