import { Button, Grid, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { ErrorCard } from '../../components/error-card.tsx';
import { ButtonLink } from '../../components/links.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { Section } from '../../components/section.tsx';
import { ApiError, asking, call } from '../../lib/api.ts';
import { AdvancedSettings } from './advanced-settings.tsx';
import { type Draft, draftErrors, keepDraft, keptDraft, requestOf } from './draft.ts';
import { BackupKind } from './backup-kind.tsx';
import { Preflight, usePreflight } from './preflight.tsx';
import { WhatAndWhere } from './what-and-where.tsx';

const route = getRouteApi('/shell/backups/-/new');
const formId = 'create-backup';

/** Create Backup, on demand. What is wrong is said while one fills it in, not after. */
export function BackupNew() {
  const chosen = route.useSearch();
  const navigate = route.useNavigate();
  const queries = useQueryClient();
  const [initial] = useState(() => keptDraft(chosen));
  // Who goes away again before anything else is changed finds what was added the first time.
  useEffect(() => keepDraft(initial), [initial]);
  const form = useForm<Draft>({ initialValues: initial, validate: draftErrors, onValuesChange: keepDraft });
  const preflight = usePreflight(form.values);
  const create = useMutation({
    mutationFn: (draft: Draft) => call('createBackup', { body: requestOf(draft) }),
    onSuccess: async (backup) => {
      keepDraft(undefined);
      const { name } = backup;
      queries.setQueryData(asking('getBackup', { params: { name } }).queryKey, backup);
      await navigate({ to: '/backups/$name', params: { name } });
    },
    onError: (error) => {
      if (!isNameTaken(error)) return;
      form.setFieldError('name', 'There is a backup of this name already; choose another one.');
      form.getInputNode('name')?.focus();
    },
  });
  const isStopped = preflight.data?.isGo === false;
  return (
    <form id={formId} noValidate onSubmit={form.onSubmit((draft) => create.mutate(draft))}>
      <PageHeader
        title="Create Backup"
        back={{ to: '/backups', text: 'All Backups' }}
        actions={
          <ButtonLink to="/backups" variant="default" onClick={() => keepDraft(undefined)}>
            Discard
          </ButtonLink>
        }
        primary={
          <Button type="submit" loading={create.isPending} disabled={isStopped}>
            Backup
          </Button>
        }
      />
      <Stack gap="md">
        {create.error === null || isNameTaken(create.error) ? null : <ErrorCard error={create.error} />}
        <Grid gap="md">
          <Grid.Col span={{ base: 12, md: 7 }}>
            <Stack gap="md">
              <BackupKind />
              <Section title="What and where">
                <WhatAndWhere form={form} />
              </Section>
              <AdvancedSettings form={form} />
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 5 }}>
            <Preflight draft={form.values} preflight={preflight} />
          </Grid.Col>
        </Grid>
      </Stack>
    </form>
  );
}

/** Told beside the field. */
function isNameTaken(error: Error): boolean {
  return error instanceof ApiError && error.code === 'name-taken';
}
