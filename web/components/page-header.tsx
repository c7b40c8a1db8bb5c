import { Anchor, Group, Stack, Text, Title } from '@mantine/core';
import { Link, type LinkProps } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import { Icon } from './icon.tsx';

export interface PageHeaderProps {
  readonly title: string;
  /** One sentence or a few figures below the title. */
  readonly lead?: ReactNode;
  /** The page this one belongs to. */
  readonly back?: { readonly to: LinkProps['to']; readonly text: string };
  /** Beside the title, e.g. a StatusMark. */
  readonly mark?: ReactNode;
  /** Secondary actions, quiet. */
  readonly actions?: ReactNode;
  /** The one primary action of the page. */
  readonly primary?: ReactNode;
}

export function PageHeader({ title, lead, back, mark, actions, primary }: PageHeaderProps) {
  useEffect(() => {
    document.title = `${title} · Holdfast`;
  }, [title]);
  return (
    <Stack component="header" gap={4} mb="md">
      {back === undefined ? null : (
        <Anchor component={Link} to={back.to} size="sm" style={{ alignSelf: 'flex-start' }}>
          <Group gap={2} component="span">
            <Icon name="back" size={16} />
            {back.text}
          </Group>
        </Anchor>
      )}
      <Group justify="space-between" gap="sm" align="center">
        <Group gap="sm" miw={0}>
          <Title order={1} style={{ overflowWrap: 'anywhere' }}>
            {title}
          </Title>
          {mark}
        </Group>
        <Group gap="xs">
          {actions}
          {primary}
        </Group>
      </Group>
      {lead === undefined ? null : (
        <Text size="sm" c="dimmed" component="div">
          {lead}
        </Text>
      )}
    </Stack>
  );
}
