import { expect, test } from 'vitest';
import { formatAge, formatServer, formatTime } from './format.ts';

test.each([
  [-1000, 'just now'],
  [59_999, 'just now'],
  [60_000, '1 min ago'],
  [47 * 3_600_000, '47 h ago'],
  [48 * 3_600_000, '2 d ago'],
])('%d ms ago is %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});

test('times and servers', () => {
  expect(formatTime('2026-11-21T01:43:27.123Z')).toBe('2026-11-21 01:43 UTC');
  expect(formatServer({ vendor: 'MariaDB', serverVersion: '10.11.19-MariaDB-deb12' })).toBe('MariaDB 10.11.19');
  expect(formatServer({ vendor: 'Percona Server', serverVersion: '8.0.36-28.1' })).toBe('Percona Server 8.0.36-28.1');
});
