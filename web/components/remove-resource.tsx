import { Button, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMay } from '../lib/may.ts';
import { ConfirmByTyping } from './confirm-by-typing.tsx';
import { Section } from './section.tsx';

export interface RemoveResourceProps {
  /** E.g. "service". */
  readonly what: string;
  readonly name: string;
  /** Where to go when it is gone. */
  readonly listPage: '/agents' | '/services' | '/locations';
  /** First part of its routes' paths. */
  readonly topic: string;
  readonly remove: () => Promise<unknown>;
  /** What goes and what stays. */
  readonly children: ReactNode;
}

/** At the end of a page, far from what is done often. */
export function RemoveResource({ what, name, listPage, topic, remove, children }: RemoveResourceProps) {
  const [isOpen, dialog] = useDisclosure(false);
  const router = useRouter();
  const queries = useQueryClient();
  const mayRemove = useMay('admin');
  const go = useMutation({
    mutationFn: remove,
    onSuccess: async () => {
      await router.navigate({ to: listPage });
      await queries.invalidateQueries({ queryKey: [topic] });
    },
  });
  if (!mayRemove) return null;
  return (
    <Section title={`Remove this ${what}`}>
      <Text size="sm">{children}</Text>
      <Button variant="outline" color="red" onClick={dialog.open} style={{ alignSelf: 'flex-start' }}>
        Remove {what}
      </Button>
      <ConfirmByTyping
        title={`Remove the ${what} ${name}?`}
        word={name}
        action={`Remove ${what}`}
        isOpen={isOpen}
        isBusy={go.isPending}
        error={go.error}
        onConfirm={() => go.mutate()}
        onClose={dialog.close}
      >
        {children}
      </ConfirmByTyping>
    </Section>
  );
}
