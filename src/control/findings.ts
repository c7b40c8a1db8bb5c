import type * as z from 'zod';
import { describeFailure } from '../api/describe-failure.ts';
import type { findingSchema, Preflight } from '../api/agent.ts';

export type Finding = z.output<typeof findingSchema>;

export function preflightOf(findings: readonly Finding[]): Preflight {
  return { isGo: findings.every(({ level }) => level !== 'error'), findings: [...findings] };
}

/** What went wrong, as a finding. */
export function findingOf(error: unknown): Finding {
  const { code, message, nextStep } = describeFailure(error);
  return { level: 'error', code, message, ...(nextStep === undefined ? {} : { nextStep }) };
}

/** What `work` finds; a failure of it is a finding, too. @throws only the reason of the signal */
export async function gathered(
  signal: AbortSignal,
  work: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    return [findingOf(error)];
  }
}
