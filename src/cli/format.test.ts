import { expect, test } from 'vitest';
import { formatAge, formatBytes, formatDuration, formatServer, formatTime, plural } from './format.ts';

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

test.each([
  [-1000, 'just now'],
  [59_999, 'just now'],
  [60_000, '1 min ago'],
  [47 * 3_600_000, '47 h ago'],
  [48 * 3_600_000, '2 d ago'],
])('%d ms ago is %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});

test('times, counts and servers', () => {
  expect(formatTime('2026-11-21T01:43:27.123Z')).toBe('2026-11-21 01:43 UTC');
  expect([plural(1, 'file'), plural(12_345, 'file'), plural(2, 'backup is', 'backups are')]).toEqual([
    '1 file',
    '12,345 files',
    '2 backups are',
  ]);
  expect(formatServer({ vendor: 'MariaDB', serverVersion: '10.11.19-MariaDB-deb12' })).toBe('MariaDB 10.11.19');
  expect(formatServer({ vendor: 'Percona Server', serverVersion: '8.0.36-28.1' })).toBe('Percona Server 8.0.36-28.1');
});
