import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { InvalidRequest } from '../../src/lib/failure.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { keysOf } from './storage-tools.ts';

const oddNames = [
  'space in it',
  ' leading and trailing ',
  'plus+and%percent%20%2F',
  'quotes"and\'',
  '<xml>&amp;',
  'back\\slash',
  'question?and#hash',
  'colon:semi;comma,equals=',
  '.hidden',
  '...',
  '.incoming/x',
  'lost+found/x',
  'umläut',
  'decomposed u\u0308',
  '\u65e5\u672c\u8a9e',
  '\u{1f9f7}\u{1f30a}',
  'x'.repeat(200),
  `${'deep/'.repeat(40)}end`,
  'ends.tmp',
  '~tilde*star|pipe$dollar',
  'line\u2028separator',
];

/** Every possible key is kept as it is, every impossible one refused. */
export function describeNames(storage: () => Storage): void {
  test.for(oddNames)('keeps the name %j', async (name) => {
    const folder = `odd/${randomUUID()}/`;
    const key = folder + name;
    expect(await storage().put(key, Buffer.from(name), { ifAbsent: true })).toBe('stored');
    expect(await storage().put(key, Buffer.from(name), { ifAbsent: true })).toBe('exists');
    expect((await storage().get(key)).toString()).toBe(name);
    expect(await keysOf(storage(), folder)).toEqual([key]);
    expect(await keysOf(storage(), key)).toEqual([key]);
    await storage().delete([key, `${folder}other`]);
    expect(await keysOf(storage(), folder)).toEqual([]);
  });

  test.for([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/../b',
    './a',
    'a/..',
    'nul\0',
    'line\nfeed',
    '\ud800',
    'x'.repeat(256),
    'x/'.repeat(500) + 'x',
  ])('refuses the key %j', async (key) => {
    await expect(storage().put(key, Buffer.alloc(1))).rejects.toThrow(InvalidRequest);
    await expect(storage().get(key)).rejects.toThrow(InvalidRequest);
    await expect(storage().delete(['fine', key])).rejects.toThrow(InvalidRequest);
  });
}
