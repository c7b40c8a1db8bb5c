import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { PageHeader } from '../../components/page-header.tsx';
import { asking } from '../../lib/api.ts';
import { useMay } from '../../lib/may.ts';
import { ApiTokens } from './api-tokens.tsx';
import { ChangePassword } from './change-password.tsx';

export function AccountPage() {
  const { data: user } = useQuery(asking('getSession', {}));
  const isAdmin = useMay('admin');
  return (
    <>
      <PageHeader
        title="Account"
        lead={user === undefined ? '' : `You are ${user.name}, with the role ${user.role}.`}
      />
      <Stack gap="md" maw={720}>
        <ChangePassword />
        {isAdmin ? <ApiTokens /> : null}
      </Stack>
    </>
  );
}
