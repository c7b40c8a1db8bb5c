import type { JobState } from '../api/jobs.ts';

/** From which state a job may go to which. */
const transitions: Readonly<Record<JobState, readonly JobState[]>> = {
  Starting: ['Running', 'Failed', 'Cancelled'],
  Running: ['Succeeded', 'Failed', 'Cancelled'],
  Succeeded: [],
  Failed: [],
  Cancelled: [],
};

export function mayBecome(from: JobState, to: JobState): boolean {
  return transitions[from].includes(to);
}
