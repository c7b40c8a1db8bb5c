import { Text } from '@mantine/core';
import type { StatusOf } from '../../src/api/resources.ts';
import { FailureReport } from './failure-report.tsx';
import { Age } from './figures.tsx';
import { Section } from './section.tsx';

type RunStatus = Pick<StatusOf<'Restore'>, 'failure' | 'waitingFor' | 'nextAttemptAt'> & { readonly state: string };

/** Why a run does not run: whom it waits for, or what went wrong. Nothing when all is well. */
export function RunOutcome({ status }: { readonly status: RunStatus }) {
  const { state, failure, waitingFor, nextAttemptAt } = status;
  const isOver = state === 'Succeeded' || state === 'Cancelled';
  return (
    <>
      {waitingFor.length === 0 || isOver || state === 'Failed' ? null : (
        <Section title="Waits for">
          {waitingFor.map((whom) => (
            <Text size="sm" key={whom}>
              {whom}
            </Text>
          ))}
        </Section>
      )}
      {failure === undefined || state === 'Succeeded' ? null : (
        <Section
          title={state === 'Failed' || state === 'Cancelled' ? 'What went wrong' : 'The attempt before failed'}
          aside={
            nextAttemptAt === undefined || isOver ? null : (
              <Text size="sm" c="dimmed">
                Tried again <Age at={nextAttemptAt} />
              </Text>
            )
          }
        >
          <FailureReport failure={failure} />
        </Section>
      )}
    </>
  );
}
