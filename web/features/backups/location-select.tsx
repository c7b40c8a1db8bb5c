import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { askingList } from '../../lib/api.ts';
import { NothingToChoose } from './nothing-to-choose.tsx';

export interface LocationSelectProps {
  readonly value: string;
  readonly onChoose: (location: string) => void;
  readonly error: ReactNode;
}

export function LocationSelect({ value, onChoose, error }: LocationSelectProps) {
  const locations = useQuery(askingList('listLocations', { query: { sort: 'name', pageSize: 500 } }));
  if (locations.data?.total === 0) {
    return (
      <NothingToChoose label="Storage location" to="/locations/-/new" action="Add a storage location" error={error}>
        There is no storage location yet.
      </NothingToChoose>
    );
  }
  const options = (locations.data?.items ?? []).map(({ name, spec, status }) => {
    const type = spec.place.type === 's3' ? 'S3' : 'Directory';
    return { value: name, label: `${name} (${type}${status.state === 'Failing' ? ', failing' : ''})` };
  });
  return (
    <Select
      label="Storage location"
      placeholder="Choose where to store it"
      required
      searchable
      nothingFoundMessage="No storage location of this name"
      data={options}
      value={value === '' ? null : value}
      onChange={(name) => onChoose(name ?? '')}
      error={error}
    />
  );
}
