import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { PageHeader } from '../../components/page-header.tsx';
import { call } from '../../lib/api.ts';
import { returnWith } from '../../lib/return-to.ts';
import { type ServiceDraft, specOf } from './service-draft.ts';
import { askingAgents, ServiceForm } from './service-form.tsx';

const route = getRouteApi('/shell/services/-/new');

export function ServiceNew() {
  const { returnTo, agent = '' } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const agents = useQuery(askingAgents);
  const create = useMutation({
    mutationFn: (draft: ServiceDraft) => call('createService', { body: { name: draft.name.trim(), ...specOf(draft) } }),
    onSuccess: async ({ name, spec: { clusterLabel } }) => {
      await queries.invalidateQueries({ queryKey: ['services'] });
      if (returnTo === undefined) await router.navigate({ to: '/services/$name', params: { name } });
      else router.history.push(returnWith(returnTo, { service: name, ...(clusterLabel && { folder: clusterLabel }) }));
    },
  });
  return (
    <>
      <PageHeader
        title="Add a service"
        lead={
          returnTo === undefined
            ? 'A database server that Holdfast shall protect.'
            : 'A database server that Holdfast shall protect. You come back to where you were.'
        }
        back={{ to: '/services', text: 'Services' }}
        primary={
          agents.data?.total === 0 ? null : (
            <Button type="submit" form="service" loading={create.isPending}>
              Add service
            </Button>
          )
        }
      />
      <ServiceForm
        id="service"
        initial={{ name: agent, agent, clusterLabel: '', description: '' }}
        isNameFixed={false}
        onSubmit={(draft) => create.mutate(draft)}
        error={create.error}
      />
    </>
  );
}
