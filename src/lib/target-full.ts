import { Failure, type FailureDetails } from './failure.ts';

/** @param what follows "Cannot" */
export function targetFull(what: string, details: Omit<FailureDetails, 'nextStep'>): Failure {
  return new Failure('target-full', `Cannot ${what} as the disk or the quota is full`, {
    ...details,
    nextStep: 'Make room, or choose a target on a larger file system.',
  });
}
