import { Loader, Stack, Text } from '@mantine/core';
import type { Preflight } from '../../src/api/agent.ts';
import type { Tone } from '../lib/states.ts';
import classes from './findings.module.css';
import { StatusMark } from './status-mark.tsx';

export type Finding = Preflight['findings'][number];

const looks: Readonly<Record<Finding['level'], { tone: Tone; word: string }>> = {
  ok: { tone: 'good', word: 'Good' },
  warning: { tone: 'doubtful', word: 'Mind' },
  error: { tone: 'bad', word: 'Stop' },
};

/** What a check found: each with its level, and what to do about it. */
export function Findings({ findings, label }: { readonly findings: readonly Finding[]; readonly label: string }) {
  return (
    <ul className={classes['list']} aria-label={label}>
      {findings.map(({ level, code, message, nextStep }) => (
        <li key={`${code} ${message}`} className={classes['item']}>
          <StatusMark {...looks[level]} />
          <div>
            <Text size="sm">{message}</Text>
            {nextStep === undefined ? null : (
              <Text size="sm" c="dimmed">
                {nextStep}
              </Text>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** In the place where findings will be. */
export function FindingsOnTheirWay({ children }: { readonly children: string }) {
  return (
    <Stack gap="xs" role="status">
      <Text size="sm" c="dimmed">
        <Loader size={12} mr={8} aria-hidden="true" />
        {children}
      </Text>
    </Stack>
  );
}
