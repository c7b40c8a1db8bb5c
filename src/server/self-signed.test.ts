import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { msOf } from '../lib/clock.ts';
import { selfSigned } from './self-signed.ts';

test('a certificate of its own is one that Node accepts for its names', async () => {
  const names = ['localhost', 'db-1.example.net', '127.0.0.1', '::1', 'fe80::1:2', '2001:db8:1:2:3:4:5:6'];
  const now = msOf('2026-11-21T02:00:00.000Z');
  const { certificate, key } = await selfSigned(names, { commonName: 'Holdfast agent', clock: { now: () => now } });
  const parsed = new X509Certificate(certificate);
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(parsed.ca).toBe(true);
  expect(parsed.subject).toBe('CN=Holdfast agent');
  for (const name of names.slice(0, 2)) expect(parsed.checkHost(name)).toBe(name);
  for (const name of names.slice(2)) expect(parsed.checkIP(name)).toBe(name);
  expect(parsed.checkHost('other.example.net')).toBeUndefined();
  expect(parsed.validFromDate.getTime()).toBe(now - 24 * 3_600_000);
  expect(parsed.validToDate.getUTCFullYear()).toBe(2046);
  expect(
    new X509Certificate(
      (await selfSigned(names, { commonName: 'Holdfast agent', clock: { now: () => now } })).certificate,
    ).serialNumber,
  ).not.toBe(parsed.serialNumber);
});
