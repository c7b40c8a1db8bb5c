import { Button, Group, Modal, Stack, Textarea } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Resource } from '../../../src/api/resources.ts';
import { ErrorCard } from '../../components/error-card.tsx';
import { call } from '../../lib/api.ts';

/** All of an agent that is decided here is how people describe it. */
export function DescribeAgent({ agent }: { readonly agent: Resource<'Agent'> }) {
  const [isOpen, dialog] = useDisclosure(false);
  return (
    <>
      <Button variant="default" onClick={dialog.open}>
        Describe
      </Button>
      <Modal opened={isOpen} onClose={dialog.close} title={`Describe ${agent.name}`}>
        <Description agent={agent} onClose={dialog.close} />
      </Modal>
    </>
  );
}

function Description({ agent, onClose }: { readonly agent: Resource<'Agent'>; readonly onClose: () => void }) {
  const [description, setDescription] = useState(agent.spec.description);
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () => call('updateAgent', { params: { name: agent.name }, body: { description: description.trim() } }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['agents'] });
      onClose();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack>
        <Textarea
          label="Description"
          autosize
          minRows={2}
          maxLength={1000}
          value={description}
          onChange={({ currentTarget }) => setDescription(currentTarget.value)}
          data-autofocus
        />
        {save.error === null ? null : <ErrorCard error={save.error} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>
            Not now
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
