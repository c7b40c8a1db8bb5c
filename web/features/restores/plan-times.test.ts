import { expect, test } from 'vitest';
import { about, describeDowntime, planTimes } from './plan-times.ts';

const step = (expectedMs: number | undefined, isDowntime: boolean) => ({
  name: 'a step',
  text: 'It happens.',
  isDowntime,
  ...(expectedMs === undefined ? {} : { expectedMs }),
});

test('downtime is told apart, and what is not known is not told as nothing', () => {
  expect(planTimes([step(900, false), step(70, true), step(30, true)])).toEqual({
    totalMs: 1000,
    downtimeMs: 100,
    isComplete: true,
    isDowntimeComplete: true,
    hasDowntime: true,
  });
  expect(planTimes([step(undefined, false), step(70, true), step(undefined, true)])).toMatchObject({
    totalMs: 70,
    isComplete: false,
    isDowntimeComplete: false,
  });
  expect(planTimes([step(5, false)])).toMatchObject({ downtimeMs: 0, hasDowntime: false });
});

test('downtime is told as exactly as it is known', () => {
  expect(describeDowntime(planTimes([step(12_000, true)]))).toBe('about 12 s');
  expect(describeDowntime(planTimes([step(12_000, true), step(undefined, true)]))).toBe('more than 12 s');
  expect(describeDowntime(planTimes([step(20, true), step(undefined, true)]))).toBeUndefined();
  expect(about(20)).toBe('under a second');
  expect(about(1_022_000)).toBe('about 17 min');
});
