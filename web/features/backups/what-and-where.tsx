import { SimpleGrid, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { asking } from '../../lib/api.ts';
import { formatVersion } from '../../lib/format.ts';
import type { Draft } from './draft.ts';
import { suggestedName } from './draft.ts';
import { LocationSelect } from './location-select.tsx';
import { ServiceSelect } from './service-select.tsx';

export type DraftForm = UseFormReturnType<Draft>;

export function WhatAndWhere({ form }: { readonly form: DraftForm }) {
  const { service: name } = form.values;
  const { data: service } = useQuery({ ...asking('getService', { params: { name } }), enabled: name !== '' });
  const choose = (next: string, clusterLabel: string): void => {
    const untouched = form.values.name === '' || form.values.name.startsWith(`${form.values.service}-`);
    form.setValues({
      service: next,
      folder: clusterLabel,
      ...(untouched && next !== '' ? { name: suggestedName(next, Date.now()) } : {}),
    });
    form.clearFieldError('service');
  };
  return (
    <>
      <TextInput
        label="Backup name"
        description="Unique; it cannot be changed later."
        required
        maxLength={100}
        autoComplete="off"
        spellCheck={false}
        {...form.getInputProps('name')}
      />
      <ServiceSelect value={name} onChoose={choose} error={form.errors['service']} />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <TextInput
          label="DB technology"
          readOnly
          variant="filled"
          value={technologyOf(service?.status)}
          placeholder="Follows from the service"
        />
        <TextInput
          label="Data model"
          readOnly
          variant="filled"
          value={name === '' ? '' : 'Physical'}
          placeholder="Follows from the service"
        />
      </SimpleGrid>
      <LocationSelect
        value={form.values.location}
        onChoose={(location) => {
          form.setFieldValue('location', location);
          form.clearFieldError('location');
        }}
        error={form.errors['location']}
      />
      <TextInput
        label="Folder"
        description="Where in the storage location its repository lies. Leave it as it is, and later backups cost about what changed."
        placeholder="The top of the storage location"
        autoComplete="off"
        spellCheck={false}
        {...form.getInputProps('folder')}
      />
    </>
  );
}

function technologyOf(status: { readonly vendor?: string; readonly version?: string } | undefined): string {
  if (status?.vendor === undefined) return '';
  return `${status.vendor} ${formatVersion(status.version ?? '')}`.trim();
}
