import { Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Facts } from '../../components/facts.tsx';
import { Findings } from '../../components/findings.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { formatBytes, formatDuration } from '../../../src/api/figures.ts';
import { formatVersion } from '../../lib/format.ts';
import { wordOf } from '../../lib/run-steps.ts';
import { about, describeDowntime, planTimes, type RestorePlan } from './plan-times.ts';
import classes from './plan-view.module.css';
import { ReplicationPosition } from './replication-position.tsx';

/** What a restore would do: whether it can and what a person says to that (`children`), its steps, how long the server stands still. */
export function PlanView({ plan, children }: { readonly plan: RestorePlan; readonly children: ReactNode }) {
  const { isGo, findings, steps, logicalBytes, serverVersion, targetVersion, gtid, binlog } = plan;
  const grave = findings.filter(({ level }) => level !== 'ok');
  const good = findings.filter(({ level }) => level === 'ok');
  return (
    <Stack gap="lg">
      <Stack gap={6}>
        <Text size="sm" component="div">
          {isGo ? (
            <StatusMark tone="good" word="It can be done" />
          ) : (
            <StatusMark tone="bad" word="It cannot be done like this" />
          )}
        </Text>
        {grave.length === 0 ? null : <Findings findings={grave} label="What to mind" />}
        {children}
      </Stack>
      <Steps steps={steps} />
      <Facts
        facts={[
          ['Size', formatBytes(logicalBytes)],
          ['Backup of', formatVersion(serverVersion)],
          ...(targetVersion === undefined ? [] : [['Target runs', formatVersion(targetVersion)] as const]),
        ]}
      />
      <div>
        <Text size="sm" fw={600} mb={6}>
          Where replication would go on
        </Text>
        <ReplicationPosition gtid={gtid} binlog={binlog} />
      </div>
      {good.length === 0 ? null : (
        <div>
          <Text size="sm" fw={600} mb={6}>
            What was looked at
          </Text>
          <Findings findings={good} label="What was looked at" />
        </div>
      )}
    </Stack>
  );
}

function Steps({ steps }: { readonly steps: RestorePlan['steps'] }) {
  return (
    <div>
      <Text size="sm" fw={600} mb={6}>
        What will happen
      </Text>
      <Text size="sm" mb={8}>
        {sentence(steps)}
      </Text>
      <Bar steps={steps} />
      <ol className={classes['steps']} aria-label="Steps of the plan">
        {steps.map(({ name, text, expectedMs, isDowntime }) => (
          <li key={name} className={classes['step']} data-downtime={isDowntime}>
            <div>
              <Group gap="xs">
                <Text size="sm" fw={500}>
                  {wordOf(name)}
                </Text>
                {isDowntime ? (
                  <Text size="sm" component="span">
                    <StatusMark tone="doubtful" word="Server stands still" />
                  </Text>
                ) : null}
              </Group>
              <Text size="sm" c="dimmed">
                {text}
              </Text>
            </div>
            <span className={classes['time']}>{expectedMs === undefined ? 'not known yet' : about(expectedMs)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** The steps in proportion to the time that each is expected to take. */
function Bar({ steps }: { readonly steps: RestorePlan['steps'] }) {
  const { totalMs } = planTimes(steps);
  if (totalMs === 0) return null;
  return (
    <div className={classes['bar']} aria-hidden="true">
      {steps.map(({ name, expectedMs = 0, isDowntime }) => (
        <span
          key={name}
          className={classes['part']}
          data-downtime={isDowntime}
          style={{ flexGrow: Math.max(expectedMs / totalMs, 0.004) }}
        />
      ))}
    </div>
  );
}

function sentence(steps: RestorePlan['steps']): string {
  const times = planTimes(steps);
  const { totalMs, isComplete, hasDowntime } = times;
  const total =
    totalMs === 0
      ? 'How long it takes is not known: nothing like it was restored before.'
      : `It takes ${isComplete ? about(totalMs) : `more than ${formatDuration(totalMs)}`}, going by restores and drills before.`;
  if (!hasDowntime) return `${total} No server stands still.`;
  const downtime = describeDowntime(times);
  return downtime === undefined
    ? `${total} How long of it the server stands still is not known yet.`
    : `${total} The server stands still for ${downtime} of it.`;
}
