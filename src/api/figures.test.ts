import { expect, test } from 'vitest';
import { formatBytes, formatDuration, plural } from './figures.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [999.6, '1.00 kB'],
  [1000, '1.00 kB'],
  [9_994, '9.99 kB'],
  [9_996, '10.0 kB'],
  [99_949, '99.9 kB'],
  [99_951, '100 kB'],
  [999_499, '999 kB'],
  [999_501, '1.00 MB'],
  [1_234_567_890, '1.23 GB'],
  [2 ** 53, '9.01 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [-5, '0.0 s'],
  [450, '0.5 s'],
  [9_949, '9.9 s'],
  [9_951, '10 s'],
  [59_400, '59 s'],
  [59_600, '1 min 0 s'],
  [3_599_400, '59 min 59 s'],
  [3_600_000, '1 h 0 min'],
  [90_000_000, '1 d 1 h'],
])('%d ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('counts have their word', () => {
  expect([plural(1, 'file'), plural(12_345, 'file'), plural(2, 'retry', 'retries')]).toEqual([
    '1 file',
    '12,345 files',
    '2 retries',
  ]);
});
