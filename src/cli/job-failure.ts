import type { JobFailure } from '../api/jobs.ts';
import { type Failure, failureClasses } from '../lib/failure.ts';

/** The failure as it was at the agent. */
export function failureOf({ code, message, nextStep, evidence, causes, ...failure }: JobFailure): Failure {
  const cause = causes.length === 0 ? {} : { cause: causes.reduceRight<Error | undefined>(chained, undefined) };
  const details = { ...cause, evidence, ...(nextStep !== undefined && { nextStep }) };
  const name = failure.class ?? (failure.isPermanent ? 'PermanentFailure' : 'Failure');
  return new failureClasses[name](code, message, details);
}

function chained(cause: Error | undefined, message: string): Error {
  return new Error(message, { cause });
}
