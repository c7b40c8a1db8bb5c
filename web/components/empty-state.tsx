import { Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';

export interface EmptyStateProps {
  readonly title: string;
  readonly icon?: IconName;
  /** What this will hold, and how something comes to be here. */
  readonly children: ReactNode;
  /** Buttons; the likeliest first. */
  readonly actions?: ReactNode;
}

/** In place of a list that holds nothing: says what would be here and offers the first step. */
export function EmptyState({ title, icon, children, actions }: EmptyStateProps) {
  return (
    <Paper p="xl">
      <Stack align="center" gap="sm" maw={520} mx="auto" py="lg" ta="center">
        {icon === undefined ? null : (
          <Text component="span" c="dimmed">
            <Icon name={icon} size={32} />
          </Text>
        )}
        <Title order={2}>{title}</Title>
        <Text size="sm" component="div">
          {children}
        </Text>
        {actions === undefined ? null : (
          <Group gap="sm" justify="center" mt="xs">
            {actions}
          </Group>
        )}
      </Stack>
    </Paper>
  );
}
