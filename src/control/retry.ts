import type { JobFailure } from '../api/jobs.ts';
import type { Retry } from '../api/resource-fields.ts';

export interface RetryFacts {
  /** Undefined for what is tried once: restores and drills. */
  readonly retry: Retry | undefined;
  /** Attempts made, with the one that failed just now. */
  readonly attempts: number;
  /** Attempts that a person asked for beyond those. */
  readonly retriesTaken: number;
  readonly failure: Pick<JobFailure, 'isPermanent'>;
}

/** How many milliseconds after its failure an attempt is followed by the next one; undefined for never. Pure. */
export function pauseBeforeRetry({ retry, attempts, retriesTaken, failure }: RetryFacts): number | undefined {
  if (retry === undefined || retry.mode === 'manual' || failure.isPermanent) return undefined;
  const allowed = 1 + retry.retries + retriesTaken;
  return attempts < allowed ? retry.intervalSeconds * 1000 : undefined;
}
