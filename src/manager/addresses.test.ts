import { X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { selfSigned } from '../server/self-signed.ts';
import { isLoopback, joinAddress, originRules, urlOf } from './addresses.ts';
import { completeManagerConfig } from './config.ts';

test.each([
  ['127.0.0.1', true],
  ['127.1.2.3', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['127.evil.example', false],
])('only this host reaches %s: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});

test('on this host alone the name in a request is looked at, elsewhere it cannot be known', () => {
  const rules = (address: string) => originRules(completeManagerConfig({ listen: { address } }, 'test'));
  expect(rules('127.0.0.1').hosts).toContain('localhost');
  expect(rules('0.0.0.0').hosts).toBeUndefined();
});

test('an address for people and agents', () => {
  const at = (address: string, isTls: boolean) => urlOf({ listen: { address, port: 0 }, port: 7440 }, { isTls });
  expect(at('127.0.0.1', false)).toBe('http://127.0.0.1:7440');
  expect(at('fd00::1', true)).toBe('https://[fd00::1]:7440');
  expect(at('0.0.0.0', true)).toBe(`https://${hostname()}:7440`);
});

test('agents are told the fingerprint of a certificate that no authority signed, where they meet it', async () => {
  const made = await selfSigned(['127.0.0.1'], { commonName: 'Holdfast manager', clock: systemClock });
  const { fingerprint256: fingerprint } = new X509Certificate(made.certificate);
  const own = { url: 'https://127.0.0.1:7440', certificate: { ...made, fingerprint } };
  const config = (given: object) => completeManagerConfig(given, 'test');
  expect(joinAddress(config({}), own)).toEqual({ url: own.url, fingerprint });
  expect(joinAddress(config({ publicUrl: 'https://backups.example.net' }), own)).toEqual({
    url: 'https://backups.example.net',
    fingerprint,
  });
  const proxied = { publicUrl: 'https://backups.example.net', trustedProxies: ['10.0.0.1'] };
  expect(joinAddress(config(proxied), own)).toEqual({ url: 'https://backups.example.net' });
  const plain = { url: 'http://127.0.0.1:7440', certificate: undefined };
  expect(joinAddress(config({}), plain)).toEqual({ url: plain.url });
});
