import { Button, Checkbox, Group, Modal, Select, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import type { Resource } from '../../../src/api/resources.ts';
import { ChoiceList } from '../../components/choice-list.tsx';
import { ErrorCard } from '../../components/error-card.tsx';
import { asking, call } from '../../lib/api.ts';
import { describeServer } from '../../lib/describe-server.ts';

export interface StartDrillProps {
  /** Undefined: closed. */
  readonly backup: string | undefined;
  readonly onClose: () => void;
}

/** How a backup shall be proven, and where. */
export function StartDrill({ backup, onClose }: StartDrillProps) {
  return (
    <Modal opened={backup !== undefined} onClose={onClose} title={`Drill ${backup ?? ''}`} size="md">
      {backup === undefined ? null : <Questions backup={backup} onClose={onClose} />}
    </Modal>
  );
}

type Depth = 'quick' | 'extended';

function Questions({ backup, onClose }: { readonly backup: string; readonly onClose: () => void }) {
  const [depth, setDepth] = useState<Depth>('quick');
  const [withChecksums, setChecksums] = useState(false);
  const [agent, setAgent] = useState<string | null>(null);
  const start = useStart();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        start.mutate({ backup, depth, withChecksums, ...(agent === null ? {} : { agent }) });
      }}
    >
      <Stack>
        <Text size="sm">
          The backup is restored into a scratch directory, and a server without network is started on it. No service is
          touched. The directory is removed in any case.
        </Text>
        <ChoiceList<Depth>
          label="How deep shall the tables be checked?"
          isFocused
          value={depth}
          onChange={setDepth}
          choices={[
            { value: 'quick', label: 'Quick', description: 'The structure of each table.' },
            {
              value: 'extended',
              label: 'Extended',
              description: 'Every row and every entry of an index; takes longer.',
            },
          ]}
        />
        <Checkbox
          label="Also compute checksums of the tables"
          description="To compare with the source. Each table is read once more."
          checked={withChecksums}
          onChange={({ currentTarget }) => setChecksums(currentTarget.checked)}
        />
        <Host value={agent} onChange={setAgent} />
        {start.error === null ? null : <ErrorCard error={start.error} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>
            Not now
          </Button>
          <Button type="submit" loading={start.isPending}>
            Start drill
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface HostProps {
  readonly value: string | null;
  readonly onChange: (agent: string | null) => void;
}

function Host({ value, onChange }: HostProps) {
  const agents = useQuery(asking('listAgents', { query: { pageSize: 500, sort: 'name' } }));
  return (
    <Select
      label="Host"
      description="It needs the backup tool, a server program of the same series, and room for the whole database."
      placeholder="One that can, chosen by Holdfast"
      clearable
      clearButtonProps={{ 'aria-label': 'Let Holdfast choose' }}
      searchable
      data={choices(agents.data?.items ?? [])}
      value={value}
      onChange={onChange}
    />
  );
}

function useStart() {
  const router = useRouter();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: { backup: string; depth: Depth; withChecksums: boolean; agent?: string }) =>
      call('createDrill', { body }),
    onSuccess: async ({ name }) => {
      await queries.invalidateQueries({ queryKey: ['drills'] });
      await router.navigate({ to: '/drills/$name', params: { name } });
    },
  });
}

function choices(agents: readonly Resource<'Agent'>[]) {
  return agents.map(({ name, status }) => {
    const isThere = status.state === 'Connected';
    return {
      value: name,
      label: isThere ? `${name} · ${describeServer(status)}` : `${name} · not connected`,
      disabled: !isThere,
    };
  });
}
