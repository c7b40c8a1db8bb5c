import { Button, Group, Paper, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useLocation } from '@tanstack/react-router';
import { ButtonLink } from '../components/links.tsx';
import { asking } from '../lib/api.ts';
import { useState } from 'react';

/** The first password stood in a file and on a screen; whoever has it still is asked to choose one. */
export function PasswordHint() {
  const { data: user } = useQuery(asking('getSession', {}));
  const { pathname } = useLocation();
  const [isLater, setLater] = useState(false);
  if (user?.hasInitialPassword !== true || isLater || pathname === '/account') return null;
  return (
    <Paper component="aside" aria-label="Password" px="md" py={8} mb="md">
      <Group justify="space-between" gap="sm">
        <Text size="sm" flex="1 1 220px">
          Your password is still the one that was made at the first start. Choose one that only you know.
        </Text>
        <Group gap="xs">
          <Button size="compact-sm" variant="subtle" onClick={() => setLater(true)}>
            Later
          </Button>
          <ButtonLink size="compact-sm" variant="default" to="/account">
            Change password
          </ButtonLink>
        </Group>
      </Group>
    </Paper>
  );
}
