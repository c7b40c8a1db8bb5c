import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { askingList } from '../../lib/api.ts';
import { serviceLooks } from '../../lib/inventory-looks.ts';
import { NothingToChoose } from './nothing-to-choose.tsx';

export interface ServiceSelectProps {
  readonly value: string;
  readonly onChoose: (service: string, clusterLabel: string) => void;
  readonly error: ReactNode;
}

const typingMs = 200;

export function ServiceSelect({ value, onChoose, error }: ServiceSelectProps) {
  const [typed, setTyped] = useState(value);
  const [search] = useDebouncedValue(typed === value ? '' : typed, typingMs);
  const services = useQuery(askingList('listServices', { query: { search, sort: 'name', pageSize: 100 } }));
  const items = services.data?.items ?? [];
  if (services.data?.total === 0 && search === '') {
    return (
      <NothingToChoose label="Service name" to="/services/-/new" action="Add a service" error={error}>
        There is no service to back up yet.
      </NothingToChoose>
    );
  }
  const options = items.map(({ name, status: { state } }) => ({
    value: name,
    label: state === 'Online' ? name : `${name} (${serviceLooks[state].word.toLowerCase()})`,
  }));
  const isListed = value === '' || options.some((option) => option.value === value);
  return (
    <Select
      label="Service name"
      placeholder="Choose the database server to back up"
      required
      searchable
      nothingFoundMessage="No service of this name"
      data={isListed ? options : [{ value, label: value }, ...options]}
      filter={({ options: all }) => all}
      value={value === '' ? null : value}
      searchValue={typed}
      onSearchChange={setTyped}
      onChange={(name) => {
        const service = items.find((item) => item.name === name);
        onChoose(name ?? '', service?.spec.clusterLabel ?? '');
      }}
      error={error}
    />
  );
}
