import { expect, test } from 'vitest';
import { progressLine } from './progress.ts';

test('a line without a bar', () => {
  expect(progressLine({ step: 'copying', done: 250e6, total: 1e9, note: () => 'server locked' }, 50e6, false)).toBe(
    'copying  25 %  250 MB of 1.00 GB  50.0 MB/s  15 s left  server locked',
  );
});

test('a bar is full when more came than was expected', () => {
  expect(progressLine({ step: 'copying', done: 3e6, total: 2e6 }, 0, true)).toBe(
    'copying  [########################]  100 %  3.00 MB of 2.00 MB',
  );
});

test('nothing is made up where the total is not known', () => {
  expect(progressLine({ step: 'copying', done: 3e6 }, 1e6, true)).toBe('copying  3.00 MB  1.00 MB/s');
  expect(progressLine({ step: 'prepare' }, 0, true)).toBe('prepare');
  expect(progressLine({ step: 'exporting', done: 0, total: 0 }, 0, true)).toBe('exporting  0 B');
});

test('other things than bytes are counted', () => {
  expect(progressLine({ step: 'check', done: 12, total: 48, unit: 'tables' }, 6, false)).toBe(
    'check  25 %  12 tables of 48 tables  6 tables/s  6.0 s left',
  );
});
