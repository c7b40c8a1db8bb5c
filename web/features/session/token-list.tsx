import { Button, Table } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ConfirmByTyping } from '../../components/confirm-by-typing.tsx';
import { Nothing, Time } from '../../components/figures.tsx';
import { type Answer, call } from '../../lib/api.ts';

type Tokens = Answer<'listTokens'>['items'];

export function TokenList({ tokens }: { readonly tokens: Tokens }) {
  const queries = useQueryClient();
  const [asked, setAsked] = useState<string>();
  const revoke = useMutation({
    mutationFn: (name: string) => call('removeToken', { params: { name } }),
    onSuccess: async () => {
      setAsked(undefined);
      await queries.invalidateQueries({ queryKey: ['tokens'] });
    },
  });
  if (tokens.length === 0) return null;
  return (
    <>
      <Table.ScrollContainer
        minWidth={420}
        type="native"
        scrollAreaProps={{ tabIndex: 0, role: 'region', 'aria-label': 'API tokens' }}
      >
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Role</Table.Th>
              <Table.Th>Made</Table.Th>
              <Table.Th>Used last</Table.Th>
              <Table.Td />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {tokens.map(({ name, role, createdAt, lastUsedAt }) => (
              <Table.Tr key={name}>
                <Table.Td>{name}</Table.Td>
                <Table.Td>{role}</Table.Td>
                <Table.Td>
                  <Time at={createdAt} />
                </Table.Td>
                <Table.Td>{lastUsedAt === undefined ? <Nothing /> : <Time at={lastUsedAt} />}</Table.Td>
                <Table.Td ta="right">
                  <Button
                    size="compact-xs"
                    variant="default"
                    onClick={() => setAsked(name)}
                    aria-label={`Revoke ${name}`}
                  >
                    Revoke
                  </Button>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <ConfirmByTyping
        title="Revoke this token?"
        word={asked ?? ''}
        action="Revoke token"
        isOpen={asked !== undefined}
        isBusy={revoke.isPending}
        error={revoke.error}
        onConfirm={() => {
          if (asked !== undefined) revoke.mutate(asked);
        }}
        onClose={() => setAsked(undefined)}
      >
        Whatever shows it is refused from then on.
      </ConfirmByTyping>
    </>
  );
}
