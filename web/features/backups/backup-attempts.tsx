import { Group, Stack, Text } from '@mantine/core';
import { FailureReport } from '../../components/failure-report.tsx';
import { Time } from '../../components/figures.tsx';
import { Section } from '../../components/section.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { formatDuration } from '../../../src/api/figures.ts';
import type { Backup } from './backup-actions.tsx';

type Attempt = Backup['status']['attempts'][number];

/** Each time it was tried. The failure of the last one stands by itself already. */
export function BackupAttempts({ backup: { status } }: { readonly backup: Backup }) {
  const { attempts } = status;
  if (attempts.length < 2) return null;
  return (
    <Section title="Attempts">
      <Stack component="ol" gap="sm" p={0} m={0} style={{ listStyle: 'none' }}>
        {attempts.map((attempt, index) => (
          <li key={attempt.number}>
            <AttemptLine
              attempt={attempt}
              isSucceeded={status.state === 'Succeeded' && index === attempts.length - 1}
            />
            {attempt.failure === undefined || index === attempts.length - 1 ? null : (
              <details>
                <summary>
                  <Text component="span" size="sm">
                    Why it failed
                  </Text>
                </summary>
                <FailureReport failure={attempt.failure} />
              </details>
            )}
          </li>
        ))}
      </Stack>
    </Section>
  );
}

function AttemptLine({ attempt, isSucceeded }: { readonly attempt: Attempt; readonly isSucceeded: boolean }) {
  const { number, startedAt, endedAt, failure } = attempt;
  return (
    <Group gap="sm" fz="sm">
      <Text component="span" size="sm" fw={500}>
        {number}.
      </Text>
      <AttemptMark attempt={attempt} isSucceeded={isSucceeded} />
      <Time at={startedAt} />
      {endedAt === undefined ? null : (
        <span className="figures">{formatDuration(Date.parse(endedAt) - Date.parse(startedAt))}</span>
      )}
      {failure === undefined ? null : (
        <Text component="span" size="xs" c="dimmed">
          {failure.code}
        </Text>
      )}
    </Group>
  );
}

function AttemptMark({
  attempt: { endedAt, failure },
  isSucceeded,
}: {
  readonly attempt: Attempt;
  readonly isSucceeded: boolean;
}) {
  if (failure !== undefined) return <StatusMark tone="bad" word="Failed" />;
  if (isSucceeded) return <StatusMark tone="good" word="Succeeded" />;
  return endedAt === undefined ? <StatusMark tone="busy" word="Running" /> : <StatusMark tone="quiet" word="Ended" />;
}
