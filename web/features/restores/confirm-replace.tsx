import { List, Stack, Text } from '@mantine/core';
import type { Resource } from '../../../src/api/resources.ts';
import { ConfirmByTyping } from '../../components/confirm-by-typing.tsx';
import { formatTime } from '../../lib/format.ts';
import { describeDowntime, planTimes, type RestorePlan } from './plan-times.ts';
import type { RestoreBody } from './restore-draft.ts';

export interface ConfirmReplaceProps {
  readonly backup: Resource<'Backup'>;
  readonly body: RestoreBody;
  readonly plan: RestorePlan;
  readonly isOpen: boolean;
  readonly isBusy: boolean;
  readonly error: Error | null;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Before the data of a server is replaced: what that means, once more, and its name to be typed. */
export function ConfirmReplace({ backup, body, plan, ...dialog }: ConfirmReplaceProps) {
  if (!('service' in body.target)) return null;
  const { service } = body.target;
  const downtime = describeDowntime(planTimes(plan.steps));
  const isStarted = plan.steps.some(({ name }) => name === 'start');
  const endedAt = backup.status.result?.endedAt;
  return (
    <ConfirmByTyping title={`Replace the data of ${service}?`} word={service} action="Replace the data" {...dialog}>
      <Stack gap="xs">
        <Text size="sm">
          All data of <b>{service}</b> is replaced by the backup <b>{backup.name}</b>.
        </Text>
        <List size="sm" spacing={4}>
          <List.Item>
            What was written {endedAt === undefined ? 'after the backup' : `after ${formatTime(endedAt)}`} is not in it.
          </List.Item>
          {isStarted ? (
            <List.Item>
              {downtime === undefined
                ? 'The server stands still for a time that is not known yet'
                : `The server stands still for ${downtime}`}
              , once everything is downloaded and prepared.
            </List.Item>
          ) : null}
          <List.Item>
            The old data is moved aside and kept.{' '}
            {isStarted
              ? 'If the server does not start on the new data, it comes back.'
              : 'The server, which does not run, is not started: do that when it is done.'}
          </List.Item>
        </List>
      </Stack>
    </ConfirmByTyping>
  );
}
