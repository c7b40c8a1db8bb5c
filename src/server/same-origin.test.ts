import { describe, expect, test } from 'vitest';
import { Failure } from '../lib/failure.ts';
import { type OriginRules, type Provenance, refuseOtherSites } from './same-origin.ts';

const anywhere: OriginRules = { hosts: undefined, publicUrl: undefined };
const loopback: OriginRules = { hosts: ['localhost', '127.0.0.1', '[::1]'], publicUrl: undefined };
const proxied: OriginRules = { ...loopback, publicUrl: 'https://backups.example.net' };

function verdict(request: Partial<Provenance>, rules: OriginRules): string {
  try {
    refuseOtherSites(
      { method: 'POST', host: 'db.example.net:7440', origin: undefined, fetchSite: undefined, ...request },
      rules,
    );
    return 'passed';
  } catch (error) {
    return error instanceof Failure ? error.code : 'unknown';
  }
}

describe('where a request came from', () => {
  test.each<[string, Partial<Provenance>, OriginRules, string]>([
    ['a program, which says nothing', {}, anywhere, 'passed'],
    ['our own page', { fetchSite: 'same-origin', origin: 'https://db.example.net:7440' }, anywhere, 'passed'],
    ['our own page in a browser that only says where', { origin: 'https://DB.example.net:7440' }, anywhere, 'passed'],
    ['another site', { fetchSite: 'cross-site', origin: 'https://evil.example' }, anywhere, 'cross-site'],
    ['another site in an old browser', { origin: 'https://evil.example' }, anywhere, 'cross-site'],
    ['a neighbour below the same domain', { fetchSite: 'same-site' }, anywhere, 'cross-site'],
    ['a page without an address', { origin: 'null' }, anywhere, 'cross-site'],
    ['the same host on another port', { origin: 'https://db.example.net:8443' }, anywhere, 'cross-site'],
    ['a link on another site', { method: 'GET', fetchSite: 'cross-site' }, anywhere, 'passed'],
    ['a name of this host', { host: 'localhost:7440' }, loopback, 'passed'],
    ['a name of this host in capitals', { host: 'LOCALHOST:7440' }, loopback, 'passed'],
    ['an address of this host', { host: '[::1]:7440' }, loopback, 'passed'],
    ['a name that was pointed here', { method: 'GET', host: 'evil.example:7440' }, loopback, 'unknown-host'],
    ['no name', { method: 'GET', host: undefined }, loopback, 'unknown-host'],
    ['a proxy that keeps the name', { host: 'backups.example.net' }, proxied, 'passed'],
    [
      'a page of the proxy, which changes the name',
      { host: '127.0.0.1:7440', origin: 'https://backups.example.net' },
      proxied,
      'passed',
    ],
    [
      'another page behind the proxy',
      { host: '127.0.0.1:7440', origin: 'https://evil.example' },
      proxied,
      'cross-site',
    ],
  ])('%s', (...[, request, rules, expected]) => {
    expect(verdict(request, rules)).toBe(expected);
  });
});
