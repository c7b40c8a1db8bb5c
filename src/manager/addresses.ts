import { X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import type { OriginRules } from '../server/same-origin.ts';
import type { ServerCertificate } from '../server/server-certificate.ts';
import type { ManagerConfig } from './config.ts';

/** Can only this host reach it? */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
}

export function originRules({ listen, publicUrl }: ManagerConfig): OriginRules {
  const names = ['localhost', '127.0.0.1', '[::1]', bracketed(listen.address)];
  return { hosts: isLoopback(listen.address) ? names : undefined, publicUrl };
}

export function urlOf(
  { listen, port }: { readonly listen: ManagerConfig['listen']; readonly port: number },
  { isTls }: { readonly isTls: boolean },
): string {
  const isAny = listen.address === '0.0.0.0' || listen.address === '::';
  return `${isTls ? 'https' : 'http'}://${isAny ? hostname() : bracketed(listen.address)}:${port}`;
}

/**
 * How agents reach the manager, and how they know it. The fingerprint is told of a certificate that no authority signed; where
 * a proxy stands before the manager, agents meet another one.
 */
export function joinAddress(
  { publicUrl, trustedProxies }: Pick<ManagerConfig, 'publicUrl' | 'trustedProxies'>,
  { url, certificate }: { readonly url: string; readonly certificate: ServerCertificate | undefined },
): { readonly url: string; readonly fingerprint?: string } {
  const where = publicUrl ?? url;
  if (certificate === undefined || trustedProxies.length > 0) return { url: where };
  const { issuer, subject } = new X509Certificate(certificate.certificate);
  return issuer === subject ? { url: where, fingerprint: certificate.fingerprint } : { url: where };
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
