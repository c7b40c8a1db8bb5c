import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import type { Resource } from '../../../src/api/resources.ts';
import { ErrorCard } from '../../components/error-card.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { asking, call } from '../../lib/api.ts';
import { bodyOf, draftOf, type LocationDraft } from './location-draft.ts';
import { LocationForm, useLocationForm } from './location-form.tsx';

const route = getRouteApi('/shell/locations/$name/edit');

export function LocationEdit() {
  const { name } = route.useParams();
  const router = useRouter();
  const queries = useQueryClient();
  const location = useQuery(asking('getLocation', { params: { name } }));
  const change = useMutation({
    mutationFn: (draft: LocationDraft) => {
      const { name: _name, secrets = {}, ...spec } = bodyOf(draft);
      const isWithSecrets = Object.keys(secrets).length > 0;
      return call('updateLocation', { params: { name }, body: isWithSecrets ? { ...spec, secrets } : spec });
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['locations'] });
      await router.navigate({ to: '/locations/$name', params: { name } });
    },
  });
  return (
    <>
      <PageHeader
        title={`Edit ${name}`}
        lead="It is tested before the change is kept."
        back={{ to: '/locations', text: 'Storage Locations' }}
        primary={
          <Button type="submit" form="location" loading={change.isPending} disabled={location.data === undefined}>
            Save
          </Button>
        }
      />
      {location.error === null ? null : <ErrorCard error={location.error} onRetry={() => void location.refetch()} />}
      {location.data === undefined ? null : (
        <Edit location={location.data} onSubmit={(draft) => change.mutate(draft)} error={change.error} />
      )}
    </>
  );
}

interface EditProps {
  readonly location: Resource<'StorageLocation'>;
  readonly onSubmit: (draft: LocationDraft) => void;
  readonly error: Error | null;
}

function Edit({ location, onSubmit, error }: EditProps) {
  const [known] = useState(location.status.secrets);
  const form = useLocationForm(draftOf(location), known);
  return <LocationForm id="location" form={form} known={known} onSubmit={onSubmit} error={error} />;
}
