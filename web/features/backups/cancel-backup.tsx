import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { ErrorCard } from '../../components/error-card.tsx';
import { call } from '../../lib/api.ts';
import type { Backup } from './backup-actions.tsx';

export function CancelBackup({ backup: { name }, onClose }: { readonly backup: Backup; readonly onClose: () => void }) {
  const cancel = useMutation({ mutationFn: () => call('cancelBackup', { params: { name } }), onSuccess: onClose });
  return (
    <Modal opened onClose={onClose} title="Cancel this backup?">
      <Stack>
        <Text size="sm">
          <b>{name}</b> ends where it is, and any lock on the server with it. The server and other backups are not
          touched; what was uploaded of this one is cleared away later.
        </Text>
        {cancel.error === null ? null : <ErrorCard error={cancel.error} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose} data-autofocus>
            Let it go on
          </Button>
          <Button color="red" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel backup
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
