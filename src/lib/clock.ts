import { setTimeout as sleep } from 'node:timers/promises';

/** Where time comes from, so that tests can replace it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds, for durations. */
  elapsed(): number;
  sleep(ms: number, options?: { signal?: AbortSignal | undefined }): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: (ms, options) => sleep(ms, undefined, options?.signal ? { signal: options.signal } : {}),
};

/** A clock's reading as a date. */
export function dateOf(milliseconds: number): Date {
  return new Date(milliseconds);
}

/** ISO 8601 in UTC with milliseconds: how times stand in every text. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** The inverse of `isoTime`: milliseconds since the epoch of an ISO 8601 text. */
export function msOf(iso: string): number {
  return Date.parse(iso);
}
