import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { FilterMenu } from '../../components/filter-menu.tsx';
import { askingList } from '../../lib/api.ts';
import type { ListSearch } from '../../lib/list-search.ts';
import { runLooks } from '../../lib/states.ts';
import { proofSteps } from './proof-mark.tsx';

export type BackupSearch = ListSearch<'state' | 'service' | 'technology' | 'location' | 'proof'> & {
  readonly pinned?: 'true';
};

const technologies = ['MariaDB', 'MySQL', 'Percona Server'].map((name) => ({ value: name, text: name }));
const states = Object.entries(runLooks).map(([value, { word }]) => ({ value, text: word }));
const proofs = [
  { value: 'none', text: 'None' },
  ...proofSteps.map(({ level, word }) => ({ value: level, text: word })),
];
const all = { query: { pageSize: 500, sort: 'name' } };

export interface BackupFiltersProps {
  readonly search: BackupSearch;
  readonly onChange: (change: Partial<BackupSearch>) => void;
}

export function BackupFilters({ search, onChange }: BackupFiltersProps) {
  const services = useQuery(askingList('listServices', all));
  const locations = useQuery(askingList('listLocations', all));
  return (
    <>
      <FilterMenu label="Status" options={states} value={search.state} onChange={(state) => onChange({ state })} />
      <FilterMenu
        label="Service"
        options={namesOf(services.data?.items)}
        value={search.service}
        onChange={(service) => onChange({ service })}
      />
      <FilterMenu
        label="Technology"
        options={technologies}
        value={search.technology}
        onChange={(technology) => onChange({ technology })}
      />
      <FilterMenu
        label="Location"
        options={namesOf(locations.data?.items)}
        value={search.location}
        onChange={(location) => onChange({ location })}
      />
      <FilterMenu label="Proof" options={proofs} value={search.proof} onChange={(proof) => onChange({ proof })} />
      <Button
        variant={search.pinned === undefined ? 'default' : 'light'}
        px="sm"
        fw={400}
        aria-pressed={search.pinned !== undefined}
        onClick={() => onChange({ pinned: search.pinned === undefined ? 'true' : undefined })}
      >
        Pinned
      </Button>
    </>
  );
}

function namesOf(items: readonly { readonly name: string }[] = []) {
  return items.map(({ name }) => ({ value: name, text: name }));
}
