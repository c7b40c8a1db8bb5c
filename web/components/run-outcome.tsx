import { Text } from '@mantine/core';
import type { JobFailure } from '../../src/api/jobs.ts';
import type { StatusOf } from '../../src/api/resources.ts';
import type { BackupState } from '../../src/api/runs.ts';
import { canBeCancelled } from '../lib/states.ts';
import { FailureReport } from './failure-report.tsx';
import { Age } from './figures.tsx';
import { Section } from './section.tsx';

type RunStatus = Pick<StatusOf<'Restore'>, 'failure' | 'waitingFor' | 'nextAttemptAt'> & {
  readonly state: BackupState;
};

/** Why a run does not run: whom it waits for, or what went wrong. Nothing when all is well. */
export function RunOutcome({ status }: { readonly status: RunStatus }) {
  const { state, failure, waitingFor } = status;
  return (
    <>
      {canBeCancelled(state) && waitingFor.length > 0 ? <WaitsFor whom={waitingFor} /> : null}
      {failure === undefined || state === 'Succeeded' ? null : <WentWrong failure={failure} status={status} />}
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

function WentWrong({ failure, status }: { readonly failure: JobFailure; readonly status: RunStatus }) {
  if (!canBeCancelled(status.state)) {
    return (
      <Section title="What went wrong">
        <FailureReport failure={failure} />
      </Section>
    );
  }
  const { nextAttemptAt } = status;
  const when = nextAttemptAt === undefined ? null : <Age at={nextAttemptAt} />;
  return (
    <Section
      title="The attempt before failed"
      aside={
        <Text size="sm" c="dimmed">
          Tried again {when}
        </Text>
      }
    >
      <FailureReport failure={failure} />
    </Section>
  );
}
