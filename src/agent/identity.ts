import { randomBytes, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isThere, systemFiles } from '../core/placement-files.ts';
import type { Clock } from '../lib/clock.ts';
import { PermanentFailure } from '../lib/failure.ts';
import type { AgentConfig } from './config.ts';
import { readSecretFile, readSecretLine } from '../lib/secret-file.ts';
import { type Certificate, selfSigned } from '../server/self-signed.ts';

/** What an agent shows to clients, and what it wants from them. */
export interface Identity extends Certificate {
  /** SHA-256 of the certificate: hexadecimal with colons, as everywhere. */
  readonly fingerprint: string;
  readonly token: string;
}

const leastTokenLength = 16;

/**
 * The certificate and token that the agent's file names, or those in the state directory, made on the first start. The
 * fingerprint of the certificate is kept beside them, for people to copy.
 * @throws PermanentFailure `tls-files-unreadable`, `token-too-short`, `secret-file-open`
 */
export async function readIdentity(config: AgentConfig, clock: Clock): Promise<Identity> {
  const certificate =
    config.tls === undefined ? await ownCertificate(config, clock) : await givenCertificate(config.tls);
  const { fingerprint256: fingerprint } = parse(certificate.certificate);
  await systemFiles.writeDurably(join(config.stateDirectory, 'fingerprint'), `${fingerprint}\n`);
  return { ...certificate, fingerprint, token: await readToken(config) };
}

async function ownCertificate({ stateDirectory, listen }: AgentConfig, clock: Clock): Promise<Certificate> {
  const paths = { certificate: join(stateDirectory, 'tls-certificate.pem'), key: join(stateDirectory, 'tls-key.pem') };
  // The certificate is written last, so where it is the key is, too.
  if (!(await isThere(paths.certificate))) {
    const names = ['localhost', hostname(), '127.0.0.1', '::1', listen.address];
    const made = await selfSigned([...new Set(names)], { commonName: 'Holdfast agent', clock });
    await systemFiles.writeDurably(paths.key, made.key);
    await systemFiles.writeDurably(paths.certificate, made.certificate);
  }
  return givenCertificate({ certificateFile: paths.certificate, keyFile: paths.key });
}

async function givenCertificate(files: NonNullable<AgentConfig['tls']>): Promise<Certificate> {
  const key = (await readSecretFile(files.keyFile)).toString('utf8');
  try {
    const certificate = await readFile(files.certificateFile, 'utf8');
    return { certificate, key };
  } catch (cause) {
    throw new PermanentFailure(
      'tls-files-unreadable',
      `Cannot use the certificate as it cannot be read: ${files.certificateFile}`,
      { cause },
    );
  }
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new PermanentFailure('tls-files-unreadable', 'Cannot use the certificate as it is none in PEM form', {
      cause,
    });
  }
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
