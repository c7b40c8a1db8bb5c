import { expect, test } from 'vitest';
import { planTimes } from './plan-times.ts';

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
