import { Anchor, Container, Text } from '@mantine/core';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { ErrorCard } from '../components/error-card.tsx';
import { AnchorLink } from '../components/links.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { PageHeader } from '../components/page-header.tsx';

export function NotFound() {
  return (
    <Container component="main" size="sm" py="xl">
      <PageHeader title="There is no such page" />
      <Text size="sm">
        The address may be mistyped, or what it showed is gone.{' '}
        <AnchorLink to="/backups" underline="always">
          All backups
        </AnchorLink>{' '}
        are where they were.
      </Text>
    </Container>
  );
}

export function PageError({ error, reset }: ErrorComponentProps) {
  return (
    <Container size="sm" py="xl">
      <ErrorCard error={error instanceof Error ? error : new Error(String(error))} onRetry={reset} />
    </Container>
  );
}
