import { describeFailure } from '../api/describe-failure.ts';
import type { Job, JobFailure, JobProgress } from '../api/jobs.ts';
import { Failure } from '../lib/failure.ts';

/** What is told of runs. */

export function strangerAt(agent: string): string {
  return `Agent ${agent} is busy with something else.`;
}

export function silentAgent(agent: string, error: unknown): string {
  return `Agent ${agent} does not answer: ${messageOf(error)}`;
}

export function silentStore(error: unknown): string {
  return `The agent is done; what it stored is read back before it counts, and that fails so far: ${messageOf(error)}`;
}

export function lostAgent(agent: string, limitMs: number, error: unknown): JobFailure {
  const minutes = Math.round(limitMs / 60_000);
  return describeFailure(
    new Failure(
      'agent-lost',
      `Cannot tell how the attempt goes on as agent ${agent} has not answered for ${minutes} minutes: ${messageOf(error)}`,
      {
        cause: error,
        nextStep: 'Check that the agent runs and can be reached, then try again.',
      },
    ),
  );
}

export function forgottenByAgent(agent: string): JobFailure {
  return describeFailure(
    new Failure(
      'agent-forgot',
      `Cannot tell how the attempt ended as agent ${agent} does not know of it: it was replaced, or lost its state`,
      { nextStep: 'Try again.' },
    ),
  );
}

export function withoutReason(): JobFailure {
  return describeFailure(new Failure('no-reason', 'Cannot tell why the attempt failed as its agent gave no reason'));
}

export function progressOf(job: Job): JobProgress {
  const { step, bytes, tables, ratePerSecond, etaSeconds, isLocked, directory } = job;
  return { step, bytes, tables, ratePerSecond, etaSeconds, isLocked, directory };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
