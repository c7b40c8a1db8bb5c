import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ErrorCard } from './error-card.tsx';

export interface CancelRunProps {
  /** E.g. "restore". */
  readonly what: string;
  /** Someone asked for its end already. */
  readonly isAsked: boolean;
  readonly cancel: () => Promise<unknown>;
  /** What its end means for what is there. */
  readonly children: ReactNode;
}

/** Asks once, as what runs for hours is not to be ended by a slip of the hand. */
export function CancelRun({ what, isAsked, cancel, children }: CancelRunProps) {
  const [isOpen, dialog] = useDisclosure(false);
  const ask = useMutation({ mutationFn: cancel, onSuccess: dialog.close });
  return (
    <>
      <Button variant="default" disabled={isAsked} onClick={dialog.open}>
        {isAsked ? 'Cancelling' : 'Cancel'}
      </Button>
      <Modal opened={isOpen} onClose={dialog.close} title={`Cancel this ${what}?`}>
        <Stack>
          <Text size="sm" component="div">
            {children}
          </Text>
          {ask.error === null ? null : <ErrorCard error={ask.error} />}
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={dialog.close} data-autofocus>
              Let it go on
            </Button>
            <Button color="red" loading={ask.isPending} onClick={() => ask.mutate()}>
              Cancel {what}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
