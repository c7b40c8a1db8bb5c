import { Group, Input, Paper, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { ButtonLink } from '../../components/links.tsx';
import { useMay } from '../../lib/may.ts';

export interface NothingToChooseProps {
  readonly label: string;
  readonly to: '/services/-/new' | '/locations/-/new';
  readonly action: string;
  readonly error: ReactNode;
  /** What is missing. */
  readonly children: string;
}

/** In place of a list that would be empty: the way to what is missing, and back. */
export function NothingToChoose({ label, to, action, error, children }: NothingToChooseProps) {
  const mayAdd = useMay('admin');
  return (
    <Input.Wrapper label={label} labelElement="div" error={error} required>
      <Paper p="sm">
        <Group justify="space-between" gap="sm">
          <Text size="sm" flex="1 1 200px">
            {children} {mayAdd ? 'Add one; this form comes back as it is.' : 'Ask someone who is admin to add one.'}
          </Text>
          {mayAdd ? (
            <ButtonLink to={to} search={{ returnTo: '/backups/-/new' }} variant="default" size="compact-sm">
              {action}
            </ButtonLink>
          ) : null}
        </Group>
      </Paper>
    </Input.Wrapper>
  );
}
