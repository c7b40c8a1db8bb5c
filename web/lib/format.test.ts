import { expect, test } from 'vitest';
import {
  bytesFigure,
  formatAge,
  formatBytes,
  formatDuration,
  formatInterval,
  formatPercent,
  formatVersion,
  plural,
} from './format.ts';

test.each([
  [0, '0 B'],
  [999.6, '1.00 kB'],
  [9_996, '10.0 kB'],
  [99_951, '100 kB'],
  [999_501, '1.00 MB'],
  [1_234_567_890, '1.23 GB'],
  [2 ** 53, '9.01 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('a figure and its unit can stand apart', () => {
  expect(bytesFigure(1500)).toEqual({ value: '1.50', unit: 'kB' });
});

test.each([
  [-5, '0.0 s'],
  [9_949, '9.9 s'],
  [59_600, '1 min 0 s'],
  [3_600_000, '1 h 0 min'],
  [90_000_000, '1 d 1 h'],
])('%d ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [0, '0 s'],
  [30, '30 s'],
  [300, '5 min'],
  [5400, '1 h 30 min'],
  [28_800, '8 h'],
])('an interval of %d seconds is %s', (seconds, text) => {
  expect(formatInterval(seconds)).toBe(text);
});

test.each([
  [10_000, 'just now'],
  [-10_000, 'just now'],
  [-45_000, 'in a moment'],
  [60_000, '1 min ago'],
  [119 * 60_000, '119 min ago'],
  [2 * 3_600_000, '2 h ago'],
  [48 * 3_600_000, '2 d ago'],
  [-3 * 3_600_000, 'in 3 h'],
])('what was %d ms ago was %s', (ms, text) => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  expect(formatAge(new Date(now - ms).toISOString(), now)).toBe(text);
});

test('parts, counts and versions', () => {
  expect([formatPercent(0, 0), formatPercent(1, 1000), formatPercent(999, 1000), formatPercent(5, 5)]).toEqual([
    '0 %',
    '< 1 %',
    '99 %',
    '100 %',
  ]);
  expect([plural(1, 'file'), plural(12_345, 'file'), plural(2, 'retry', 'retries')]).toEqual([
    '1 file',
    '12,345 files',
    '2 retries',
  ]);
  expect([formatVersion('10.11.19-MariaDB-deb12'), formatVersion('8.4.3-3')]).toEqual(['10.11.19', '8.4.3-3']);
});
