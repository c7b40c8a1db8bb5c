import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { isThere, systemFiles } from '../core/placement-files.ts';
import type { Clock } from '../lib/clock.ts';
import { PermanentFailure } from '../lib/failure.ts';
import type { AgentConfig } from './config.ts';
import { readSecretLine } from '../lib/secret-file.ts';
import { readCertificate, type ServerCertificate } from '../server/server-certificate.ts';

/** What an agent shows to clients, and what it wants from them. */
export interface Identity extends ServerCertificate {
  readonly token: string;
}

const leastTokenLength = 16;

/**
 * The certificate and token that the agent's file names, or those in the state directory, made on the first start. The
 * fingerprint of the certificate is kept beside them, for people to copy.
 * @throws PermanentFailure `tls-files-unreadable`, `token-too-short`, `secret-file-open`
 */
export async function readIdentity(config: AgentConfig, clock: Clock): Promise<Identity> {
  const { tls: files, stateDirectory, listen } = config;
  const certificate = await readCertificate({
    files,
    stateDirectory,
    listenAddress: listen.address,
    commonName: 'Holdfast agent',
    clock,
  });
  return { ...certificate, token: await readToken(config) };
}

async function readToken({ tokenFile, stateDirectory }: AgentConfig): Promise<string> {
  const isOwn = tokenFile === join(stateDirectory, 'token');
  if (isOwn && !(await isThere(tokenFile)))
    await systemFiles.writeDurably(tokenFile, `${randomBytes(32).toString('base64url')}\n`);
  const token = await readSecretLine(tokenFile);
  if (token.length >= leastTokenLength) return token;
  throw new PermanentFailure(
    'token-too-short',
    `Cannot use the token in ${tokenFile} as it is shorter than ${leastTokenLength} characters`,
    {
      nextStep: 'Make one with: openssl rand -hex 32',
    },
  );
}
