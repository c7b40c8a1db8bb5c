import { expect, test } from 'vitest';
import { returnWith, safeReturn } from './return-to.ts';

test.each(['/backups/new', '/backups/new?service=a%20b'])('%s is a page of this program', (page) => {
  expect(safeReturn(page)).toBe(page);
});

test.each([
  '//evil.example.net',
  '/\\evil.example.net',
  'https://evil.example.net',
  'backups',
  undefined,
  7,
  '/\t/evil.example.net',
])('%j is never gone to as another host', (page) => {
  const safe = safeReturn(page);
  expect(safe === undefined || new URL(safe, 'http://here').host === 'here').toBe(true);
  expect(safe ?? '').not.toMatch(/^\/\//);
});

test('the page is told what was made, once', () => {
  expect(returnWith('/backups/new?service=old&x=1', { service: 'new one' })).toBe('/backups/new?service=new+one&x=1');
});
