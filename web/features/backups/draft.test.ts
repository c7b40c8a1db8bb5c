import { expect, test } from 'vitest';
import { type Draft, draftErrors, emptyDraft, keptDraft, requestOf, suggestedName } from './draft.ts';

const good: Draft = { ...emptyDraft, name: 'before-migration', service: 'orders', location: 'main', folder: 'shop/a' };

test('a form that is filled in becomes a request', () => {
  expect(draftErrors(good)).toEqual({});
  expect(requestOf(good)).toEqual({
    name: 'before-migration',
    service: 'orders',
    location: 'main',
    folder: 'shop/a',
    retry: { mode: 'manual' },
  });
  const retried: Draft = { ...good, folder: '', retryMode: 'auto', retries: 10, interval: 8, intervalUnit: 'hours' };
  expect(draftErrors(retried)).toEqual({});
  expect(requestOf(retried)).toMatchObject({ retry: { mode: 'auto', retries: 10, intervalSeconds: 28_800 } });
  expect(requestOf(retried)).not.toHaveProperty('folder');
});

test('an empty form says what is missing', () => {
  expect(Object.keys(draftErrors(emptyDraft))).toEqual(['name', 'service', 'location']);
});

test.each<Partial<Draft>>([
  { name: '-x' },
  { name: 'a b' },
  { name: 'a'.repeat(101) },
  { folder: '/shop' },
  { folder: '../shop' },
  { folder: 'shop//a' },
  { retryMode: 'auto', retries: 11 },
  { retryMode: 'auto', retries: 0 },
  { retryMode: 'auto', retries: '' },
  { retryMode: 'auto', interval: 8.1, intervalUnit: 'hours' },
  { retryMode: 'auto', interval: '' },
  { retryMode: 'auto', interval: 0 },
])('%j is refused', (change) => {
  expect(Object.keys(draftErrors({ ...good, ...change }))).toHaveLength(1);
});

test('what was kept comes back, with what was added in between', () => {
  const storage = { getItem: () => JSON.stringify(good) };
  expect(keptDraft({ location: 'new' }, storage)).toEqual({ ...good, location: 'new' });
  expect(keptDraft({}, { getItem: () => '{broken' })).toEqual(emptyDraft);
  expect(keptDraft({}, { getItem: () => null })).toEqual(emptyDraft);
});

test('a suggested name is a name', () => {
  const name = suggestedName('o'.repeat(100), new Date(2026, 10, 21, 15, 43, 27).getTime());
  expect(name).toBe(`${'o'.repeat(80)}-2026-11-21-1543`);
  expect(draftErrors({ ...good, name })).toEqual({});
});
