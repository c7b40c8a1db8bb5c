import { Container, Text } from '@mantine/core';
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import { ErrorCard } from '../components/error-card.tsx';
import { AnchorLink } from '../components/links.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ApiError } from '../lib/api.ts';

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

/** In place of one page, inside the frame. */
export function PageError({ error }: ErrorComponentProps) {
  const router = useRouter();
  useAgain(error instanceof ApiError && error.status === 0);
  return <ErrorCard error={asError(error)} onRetry={() => void router.invalidate()} />;
}

/** In place of everything: nobody can tell who is signed in. */
export function FrameError({ error }: ErrorComponentProps) {
  const router = useRouter();
  useAgain(true);
  return (
    <Container component="main" size="sm" py="xl">
      <PageHeader title="Holdfast" />
      <ErrorCard error={asError(error)} onRetry={() => void router.invalidate()} />
    </Container>
  );
}

const againMs = 3000;

/** Goes on by itself as soon as the manager answers. */
function useAgain(isWanted: boolean): void {
  const router = useRouter();
  useEffect(() => {
    if (!isWanted) return undefined;
    const timer = setInterval(() => void router.invalidate(), againMs);
    return () => clearInterval(timer);
  }, [router, isWanted]);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
