import { describe, expect, test } from 'vitest';
import type { JobProgress } from '../../src/api/jobs.ts';
import { describeProgress, partOf, stepsOf } from './run-steps.ts';

const main = ['download', 'prepare', 'place'];
const download: JobProgress = {
  step: 'download',
  bytes: { read: 1_200_000_000, expected: 2_400_000_000 },
  ratePerSecond: 90_000_000,
  etaSeconds: 13.3,
  isLocked: false,
};

describe('the steps of a run', () => {
  test('lie ahead before it begins', () => {
    const steps = stepsOf({ state: 'Pending', main, progress: undefined, done: undefined });
    expect(steps.map(({ state }) => state)).toEqual(['ahead', 'ahead', 'ahead']);
  });

  test('show where it is, and how far', () => {
    const [first, second] = stepsOf({ state: 'Running', main, progress: download, done: undefined });
    expect(first).toMatchObject({ state: 'now', part: 0.5, detail: '1.20 GB of 2.40 GB, 90.0 MB/s, 13 s left' });
    expect(second?.state).toBe('ahead');
  });

  test('do not tell of more than all', () => {
    const bytes = { read: 2_500_000_000, expected: 2_400_000_000 };
    expect(describeProgress({ ...download, bytes, etaSeconds: undefined })).toBe('2.50 GB, 90.0 MB/s');
  });

  test('have one that is not among the main ones where it belongs', () => {
    const steps = stepsOf({ state: 'Running', main, progress: { ...download, step: 'sync' }, done: undefined });
    expect(steps.map(({ state }) => state)).toEqual(['done', 'done', 'now', 'ahead']);
    expect(steps[2]).toMatchObject({ name: 'Write to disk', part: undefined });
  });

  test('tell at which one it failed', () => {
    const steps = stepsOf({ state: 'Failed', main, progress: { ...download, step: 'prepare' }, done: undefined });
    expect(steps.map(({ state }) => state)).toEqual(['done', 'failed', 'ahead']);
  });

  test('begin with a look, also while an agent has nothing to tell', () => {
    const backup = ['preflight', 'copying', 'uploading', 'sealing'];
    const begun = { ...download, step: 'starting', bytes: { read: 0 } };
    const steps = stepsOf({ state: 'Running', main: backup, progress: begun, done: undefined });
    expect(steps.map(({ state }) => state)).toEqual(['now', 'ahead', 'ahead', 'ahead']);
  });

  test('lie ahead again between two attempts', () => {
    const steps = stepsOf({ state: 'Waiting', main, progress: download, done: undefined });
    expect(steps.map(({ state }) => state)).toEqual(['ahead', 'ahead', 'ahead']);
  });

  test('tell at which one someone ended it', () => {
    const begun = { ...download, bytes: { read: 0 }, ratePerSecond: undefined, etaSeconds: undefined };
    const [first] = stepsOf({ state: 'Cancelled', main, progress: begun, done: undefined });
    expect(first).toEqual({ name: 'Download and verify', state: 'ended', detail: undefined });
  });

  test('are not told where none came', () => {
    expect(stepsOf({ state: 'Cancelled', main, progress: undefined, done: undefined })).toEqual([]);
  });

  test('are those that it had, with their times, once it has succeeded', () => {
    const done = [
      { name: 'download', ms: 1000 },
      { name: 'a new one', ms: 5 },
    ];
    expect(stepsOf({ state: 'Succeeded', main, progress: download, done })).toEqual([
      { name: 'Download and verify', state: 'done', ms: 1000 },
      { name: 'a new one', state: 'done', ms: 5 },
    ]);
  });
});

test('a backup tells what it read and what it uploaded', () => {
  const copying = { ...download, step: 'copying', bytes: { read: 1_000_000, expected: 4_000_000, uploaded: 500_000 } };
  expect(partOf(copying)).toBe(0.25);
  expect(describeProgress(copying)).toBe('1.00 MB of 4.00 MB, 90.0 MB/s, 13 s left, 500 kB uploaded');
});

test('a drill counts its tables', () => {
  const check = { ...download, step: 'check', tables: { done: 1, total: 4 }, etaSeconds: undefined };
  expect(partOf(check)).toBe(0.25);
  expect(describeProgress(check)).toBe('1 of 4 tables');
  expect(partOf({ ...check, tables: { done: 0, total: 0 } })).toBeUndefined();
});
