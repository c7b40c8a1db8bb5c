import { Button, Code, CopyButton, Group, NativeSelect, Paper, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { Role } from '../../../src/api/route-kit.ts';
import { ErrorCard } from '../../components/error-card.tsx';
import { Icon } from '../../components/icon.tsx';
import { Section } from '../../components/section.tsx';
import { asking, call } from '../../lib/api.ts';
import { TokenList } from './token-list.tsx';

const roles: readonly { readonly value: Role; readonly label: string }[] = [
  { value: 'viewer', label: 'viewer: looks' },
  { value: 'operator', label: 'operator: backs up, restores, drills' },
  { value: 'admin', label: 'admin: everything' },
];

/** With which programs, such as the command line, may ask the manager. */
export function ApiTokens() {
  const queries = useQueryClient();
  const tokens = useQuery(asking('listTokens', {}));
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('operator');
  const create = useMutation({
    mutationFn: () => call('createToken', { body: { name: name.trim(), role } }),
    onSuccess: async () => {
      setName('');
      await queries.invalidateQueries({ queryKey: ['tokens'] });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Section title="API tokens">
      <Text size="sm">
        A program, such as the command line, shows a token instead of signing in. Each is shown once, when it is made.
      </Text>
      <form onSubmit={submit}>
        <Group gap="sm" align="flex-end">
          <TextInput
            label="Name"
            required
            maxLength={100}
            pattern="[A-Za-z0-9][A-Za-z0-9._:\-]*"
            title="Letters, digits, dots, colons, underscores and hyphens"
            autoComplete="off"
            value={name}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
            flex="1 1 160px"
          />
          <NativeSelect
            label="Role"
            data={roles}
            value={role}
            onChange={({ currentTarget }) =>
              setRole(roles.find(({ value }) => value === currentTarget.value)?.value ?? 'viewer')
            }
            flex="1 1 200px"
          />
          <Button type="submit" variant="default" loading={create.isPending}>
            Make a token
          </Button>
        </Group>
      </form>
      {create.error === null ? null : <ErrorCard error={create.error} />}
      {create.data === undefined ? null : <Made token={create.data.token} />}
      {tokens.error === null ? null : <ErrorCard error={tokens.error} onRetry={() => void tokens.refetch()} />}
      {tokens.data === undefined ? null : <TokenList tokens={tokens.data.items} />}
    </Section>
  );
}

function Made({ token }: { readonly token: string }) {
  return (
    <Paper p="sm" role="status">
      <Stack gap="xs">
        <Text size="sm">This is the token. Keep it now, as it is not shown again.</Text>
        <Group gap="xs" wrap="nowrap">
          <Code flex={1} style={{ overflowWrap: 'anywhere' }}>
            {token}
          </Code>
          <CopyButton value={token}>
            {({ copied, copy }) => (
              <Button size="compact-sm" variant="default" leftSection={<Icon name="copy" size={14} />} onClick={copy}>
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
        </Group>
      </Stack>
    </Paper>
  );
}
