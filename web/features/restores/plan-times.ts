import type { Answer } from '../../lib/api.ts';

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

function sum(steps: RestorePlan['steps']): number {
  return steps.reduce((total, { expectedMs = 0 }) => total + expectedMs, 0);
}

function isKnown(steps: RestorePlan['steps']): boolean {
  return steps.every(({ expectedMs }) => expectedMs !== undefined);
}
