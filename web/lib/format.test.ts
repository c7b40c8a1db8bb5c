import { expect, test } from 'vitest';
import { formatAge, formatInterval, formatPercent, formatVersion } from './format.ts';

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

test('parts and versions', () => {
  expect([formatPercent(0, 0), formatPercent(1, 1000), formatPercent(999, 1000), formatPercent(5, 5)]).toEqual([
    '0 %',
    '< 1 %',
    '99 %',
    '100 %',
  ]);
  expect([formatVersion('10.11.19-MariaDB-deb12'), formatVersion('8.4.3-3')]).toEqual(['10.11.19', '8.4.3-3']);
});
