import { List, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { ConfirmByTyping } from '../../components/confirm-by-typing.tsx';
import { ErrorCard } from '../../components/error-card.tsx';
import { FindingsOnTheirWay } from '../../components/findings.tsx';
import { type Answer, asking, call } from '../../lib/api.ts';
import { formatBytes } from '../../../src/api/figures.ts';
import type { Backup } from './backup-actions.tsx';

export function DeleteBackup({ backup, onClose }: { readonly backup: Backup; readonly onClose: () => void }) {
  const { name, spec } = backup;
  const frees = useQuery(asking('previewDelete', { params: { name } }));
  const remove = useMutation({
    mutationFn: () => call('deleteBackup', { params: { name }, query: { confirm: name } }),
    onSuccess: onClose,
  });
  return (
    <ConfirmByTyping
      title="Delete this backup?"
      word={name}
      action="Delete backup"
      isOpen
      isBusy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <Text size="sm" mb="xs">
        <b>{name}</b> of <b>{spec.service}</b> goes from the storage location <b>{spec.location}</b> for good. Every
        other backup still restores by itself.
      </Text>
      {frees.isPending ? <FindingsOnTheirWay>Looking what this would free…</FindingsOnTheirWay> : null}
      {frees.error === null ? null : <ErrorCard error={frees.error} onRetry={() => void frees.refetch()} />}
      {frees.data === undefined ? null : <Freed frees={frees.data} />}
    </ConfirmByTyping>
  );
}

function Freed({ frees }: { readonly frees: Answer<'previewDelete'> }) {
  const { freedBytes, keptBytes, usedBy, afterHours } = frees;
  return (
    <List size="sm" spacing={4}>
      <List.Item>
        Frees <b className="figures">{formatBytes(freedBytes)}</b>, {afterHours} hours from now at the earliest.
      </List.Item>
      {keptBytes === 0 ? null : (
        <List.Item>
          <b className="figures">{formatBytes(keptBytes)}</b> of what it holds stays, as {namesOf(usedBy)}{' '}
          {usedBy.length === 1 ? 'uses' : 'use'} it too.
        </List.Item>
      )}
    </List>
  );
}

const shownNames = 3;

function namesOf(names: readonly string[]): string {
  if (names.length === 0) return 'other backups';
  const rest = names.length - shownNames;
  return rest > 0 ? `${names.slice(0, shownNames).join(', ')} and ${rest} more` : names.join(', ');
}
