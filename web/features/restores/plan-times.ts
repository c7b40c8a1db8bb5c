import type { Answer } from '../../lib/api.ts';
import { formatDuration } from '../../../src/api/figures.ts';

export type RestorePlan = Answer<'planRestore'>;

export interface PlanTimes {
  /** Of the steps whose time is known. */
  readonly totalMs: number;
  readonly downtimeMs: number;
  /** Is the time of each step known? */
  readonly isComplete: boolean;
  readonly isDowntimeComplete: boolean;
  readonly hasDowntime: boolean;
}

/** How long it takes, and how long of it the server stands still. */
export function planTimes(steps: RestorePlan['steps']): PlanTimes {
  const still = steps.filter(({ isDowntime }) => isDowntime);
  return {
    totalMs: sum(steps),
    downtimeMs: sum(still),
    isComplete: isKnown(steps),
    isDowntimeComplete: isKnown(still),
    hasDowntime: still.length > 0,
  };
}

/** `under a second`, `about 12 s`, `about 17 min`: what is expected is not told to the last figure. */
export function about(ms: number): string {
  if (ms < 1000) return 'under a second';
  const isMinutes = ms >= 600_000 && ms < 3_600_000;
  return `about ${isMinutes ? `${Math.round(ms / 60_000)} min` : formatDuration(ms)}`;
}

/** How long the server stands still: `about 12 s`, `more than 8 s`; undefined where nothing useful is known. */
export function describeDowntime({ downtimeMs, isDowntimeComplete }: PlanTimes): string | undefined {
  if (isDowntimeComplete) return about(downtimeMs);
  return downtimeMs < 1000 ? undefined : `more than ${formatDuration(downtimeMs)}`;
}

function sum(steps: RestorePlan['steps']): number {
  return steps.reduce((total, { expectedMs = 0 }) => total + expectedMs, 0);
}

function isKnown(steps: RestorePlan['steps']): boolean {
  return steps.every(({ expectedMs }) => expectedMs !== undefined);
}
