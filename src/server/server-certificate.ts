import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isThere, systemFiles } from '../core/placement-files.ts';
import type { Clock } from '../lib/clock.ts';
import { PermanentFailure } from '../lib/failure.ts';
import { readSecretFile } from '../lib/secret-file.ts';
import { type Certificate, selfSigned } from './self-signed.ts';

export interface ServerCertificate extends Certificate {
  /** SHA-256 of the certificate: hexadecimal with colons, as everywhere. */
  readonly fingerprint: string;
}

export interface CertificateOptions {
  /** Undefined: one of its own authority, made on the first start. */
  readonly files: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  /** Keeps its own one, and the fingerprint of either for people to copy. */
  readonly stateDirectory: string;
  readonly listenAddress: string;
  readonly commonName: string;
  readonly clock: Clock;
}

/** @throws PermanentFailure `tls-files-unreadable`, `secret-file-open` */
export async function readCertificate(options: CertificateOptions): Promise<ServerCertificate> {
  const { files, stateDirectory } = options;
  const certificate = files === undefined ? await ownCertificate(options) : await givenCertificate(files);
  const { fingerprint256: fingerprint } = parse(certificate.certificate);
  await systemFiles.writeDurably(join(stateDirectory, 'fingerprint'), `${fingerprint}\n`);
  return { ...certificate, fingerprint };
}

async function ownCertificate(options: CertificateOptions): Promise<Certificate> {
  const { stateDirectory, listenAddress, commonName, clock } = options;
  const paths = { certificate: join(stateDirectory, 'tls-certificate.pem'), key: join(stateDirectory, 'tls-key.pem') };
  // The certificate is written last, so where it is the key is, too.
  if (!(await isThere(paths.certificate))) {
    const names = ['localhost', hostname(), '127.0.0.1', '::1', listenAddress];
    const made = await selfSigned([...new Set(names)], { commonName, clock });
    await systemFiles.writeDurably(paths.key, made.key);
    await systemFiles.writeDurably(paths.certificate, made.certificate);
  }
  return givenCertificate({ certificateFile: paths.certificate, keyFile: paths.key });
}

async function givenCertificate(files: NonNullable<CertificateOptions['files']>): Promise<Certificate> {
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
