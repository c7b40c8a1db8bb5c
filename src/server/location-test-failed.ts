import type { Preflight } from '../api/agent.ts';
import { PermanentFailure } from '../lib/failure.ts';

/** A storage location in which not everything works that backups need. */
export class LocationTestFailed extends PermanentFailure {
  override name = 'LocationTestFailed';
  readonly findings: Preflight['findings'];

  constructor(findings: Preflight['findings']) {
    const first = findings.find(({ level }) => level === 'error');
    super(
      'location-test-failed',
      `Cannot use this storage location as its test failed: ${first?.message ?? 'see the findings'}`,
      { nextStep: first?.nextStep ?? 'Correct what the findings say and try again.' },
    );
    this.findings = findings;
  }
}
