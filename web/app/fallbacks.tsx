import { Anchor, Container } from '@mantine/core';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { Link } from '@tanstack/react-router';
import { EmptyState } from '../components/empty-state.tsx';
import { ErrorCard } from '../components/error-card.tsx';

export function NotFound() {
  return (
    <EmptyState title="There is no such page">
      The address may be mistyped, or what it showed is gone. All backups are{' '}
      <Anchor component={Link} to="/backups">
        here
      </Anchor>
      .
    </EmptyState>
  );
}

export function PageError({ error, reset }: ErrorComponentProps) {
  return (
    <Container size="sm" py="xl">
      <ErrorCard error={error instanceof Error ? error : new Error(String(error))} onRetry={reset} />
    </Container>
  );
}
