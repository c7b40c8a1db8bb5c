import type { Finding } from '../engine/engine.ts';
import { PermanentFailure } from '../lib/failure.ts';

/** @throws PermanentFailure for the first error among the findings, with the others as evidence */
export function refuseBackup(findings: readonly Finding[]): void {
  const [first, ...others] = findings.filter(({ level }) => level === 'error');
  if (!first) return;
  throw new PermanentFailure(
    first.code,
    `Cannot take the backup as the check before found a reason against it: ${first.message}`,
    {
      evidence: others.map(({ message }) => message),
      ...(first.nextStep === undefined ? {} : { nextStep: first.nextStep }),
    },
  );
}
