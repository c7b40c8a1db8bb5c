import { readSecretFile, unreadableSecret } from '../lib/secret-file.ts';

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
    throw unreadableSecret(path, 'it lacks aws_access_key_id or aws_secret_access_key');
  return { accessKeyId, secretAccessKey, sessionToken: values.get('aws_session_token') };
}
