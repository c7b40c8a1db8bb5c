import { Code, Stack, Text } from '@mantine/core';
import type { JobFailure } from '../../src/api/jobs.ts';
import classes from './failure-report.module.css';

export interface FailureReportProps {
  readonly failure: JobFailure;
  /** Only runs are tried again. */
  readonly isOfRun?: boolean;
}

/** Why a run failed: what happened, what to do next, and what was seen (the last lines of a tool, the errors behind it). */
export function FailureReport({ failure, isOfRun = true }: FailureReportProps) {
  const { message, nextStep, causes, evidence, code, isPermanent } = failure;
  return (
    <Stack gap={6}>
      <Text size="sm" fw={600}>
        {message}
      </Text>
      {nextStep === undefined ? null : <Text size="sm">{nextStep}</Text>}
      {isPermanent && isOfRun ? (
        <Text size="sm">Trying again would end the same way, so it is not tried again by itself.</Text>
      ) : null}
      {causes.length === 0 ? null : (
        <Text size="sm" c="dimmed">
          Behind it: {causes.join('; ')}
        </Text>
      )}
      {evidence.length === 0 ? null : (
        <pre className={classes['evidence']} tabIndex={0} aria-label="What was seen last">
          {evidence.join('\n')}
        </pre>
      )}
      <Text size="xs" c="dimmed">
        Code <Code c="inherit">{code}</Code>
      </Text>
    </Stack>
  );
}
