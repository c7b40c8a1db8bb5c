import { expect, test } from 'vitest';
import type { JobProgress } from '../../src/api/jobs.ts';
import { type LiveProgress, withSample } from './progress.ts';

const at = (read: number, step = 'copying'): JobProgress => ({ step, bytes: { read }, isLocked: false });

test('samples of one step are kept in order, another step or attempt begins anew', () => {
  const first = withSample(undefined, { progress: at(10), now: 1000 });
  const second = withSample(first, { progress: at(30), now: 2000 });
  expect(second.samples).toEqual([
    { at: 1000, bytes: 10 },
    { at: 2000, bytes: 30 },
  ]);
  expect(withSample(second, { progress: at(30, 'uploading'), now: 3000 }).samples).toHaveLength(1);
  expect(withSample(second, { progress: at(5), now: 3000 }).samples).toHaveLength(1);
});

test('a day of samples takes no more room than some minutes, and has its first and its last', () => {
  let live: LiveProgress | undefined;
  for (let second = 0; second < 5000; second++) live = withSample(live, { progress: at(second), now: second });
  expect(live?.samples.length).toBeLessThanOrEqual(400);
  expect(live?.samples.at(0)?.bytes).toBe(0);
  expect(live?.samples.at(-1)?.bytes).toBe(4999);
});
