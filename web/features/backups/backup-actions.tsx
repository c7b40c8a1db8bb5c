import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Resource } from '../../../src/api/resources.ts';
import { ErrorCard } from '../../components/error-card.tsx';
import { call } from '../../lib/api.ts';
import { CancelBackup } from './cancel-backup.tsx';
import { DeleteBackup } from './delete-backup.tsx';

export type Backup = Resource<'Backup'>;
export type Act = (action: 'cancel' | 'delete' | 'pin' | 'unpin' | 'retry', backup: Backup) => void;

/** What is done with a backup from a row or its own page: asks where that is due, and shows what went wrong. */
export function useBackupActions(): { readonly act: Act; readonly dialogs: ReactNode } {
  const [asked, setAsked] = useState<{ readonly action: 'cancel' | 'delete'; readonly backup: Backup }>();
  const atOnce = useMutation({
    mutationFn: ({ action, name }: { action: 'pin' | 'unpin' | 'retry'; name: string }) =>
      call(({ pin: 'pinBackup', unpin: 'unpinBackup', retry: 'retryBackup' } as const)[action], { params: { name } }),
  });
  const act: Act = (action, backup) => {
    if (action === 'cancel' || action === 'delete') setAsked({ action, backup });
    else atOnce.mutate({ action, name: backup.name });
  };
  const close = (): void => setAsked(undefined);
  const dialogs = (
    <>
      {atOnce.error === null ? null : <ErrorCard error={atOnce.error} />}
      {asked?.action === 'cancel' ? <CancelBackup backup={asked.backup} onClose={close} /> : null}
      {asked?.action === 'delete' ? <DeleteBackup backup={asked.backup} onClose={close} /> : null}
    </>
  );
  return { act, dialogs };
}
