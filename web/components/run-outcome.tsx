import { Text } from '@mantine/core';
import type { JobFailure } from '../../src/api/jobs.ts';
import type { StatusOf } from '../../src/api/resources.ts';
import type { BackupState } from '../../src/api/runs.ts';
import { canBeCancelled } from '../lib/states.ts';
import { FailureReport } from './failure-report.tsx';
import { Countdown } from './figures.tsx';
import { Section } from './section.tsx';

type RunStatus = Pick<StatusOf<'Restore'>, 'attempt' | 'failure' | 'waitingFor' | 'nextAttemptAt'> & {
  readonly state: BackupState;
};

export interface RunOutcomeProps {
  readonly status: RunStatus;
  /** How many attempts there may be; only backups have more than one. */
  readonly attempts?: number;
}

/** Why a run does not run: whom it waits for, or what went wrong. Nothing when all is well. */
export function RunOutcome({ status, attempts = 1 }: RunOutcomeProps) {
  const { state, failure, waitingFor } = status;
  return (
    <>
      {canBeCancelled(state) && waitingFor.length > 0 ? <WaitsFor whom={waitingFor} /> : null}
      {failure === undefined || state === 'Succeeded' ? null : (
        <WentWrong failure={failure} status={status} attempts={attempts} />
      )}
    </>
  );
}

function WaitsFor({ whom }: { readonly whom: readonly string[] }) {
  return (
    <Section title="Waits for">
      {whom.map((each) => (
        <Text size="sm" key={each}>
          {each}
        </Text>
      ))}
    </Section>
  );
}

interface WentWrongProps extends Required<RunOutcomeProps> {
  readonly failure: JobFailure;
}

function WentWrong({ failure, status, attempts }: WentWrongProps) {
  const { state, attempt, nextAttemptAt } = status;
  if (!canBeCancelled(state)) {
    return (
      <Section title="What went wrong">
        <FailureReport failure={failure} />
      </Section>
    );
  }
  return (
    <Section title={`Attempt ${attempt} of ${Math.max(attempt + 1, attempts)} failed`}>
      <Text size="sm" component="div">
        Attempt {attempt + 1} begins by itself{' '}
        {nextAttemptAt === undefined ? 'as soon as it can' : <Countdown to={nextAttemptAt} />}.
      </Text>
      <FailureReport failure={failure} />
    </Section>
  );
}
