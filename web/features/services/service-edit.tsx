import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { ErrorCard } from '../../components/error-card.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { asking, call } from '../../lib/api.ts';
import { changeOf, draftOf, type ServiceDraft } from './service-draft.ts';
import { ServiceForm } from './service-form.tsx';

const route = getRouteApi('/shell/services/$name/edit');

export function ServiceEdit() {
  const { name } = route.useParams();
  const router = useRouter();
  const queries = useQueryClient();
  const service = useQuery(asking('getService', { params: { name } }));
  const change = useMutation({
    mutationFn: (draft: ServiceDraft) => call('updateService', { params: { name }, body: changeOf(draft) }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['services'] });
      await router.navigate({ to: '/services/$name', params: { name } });
    },
  });
  return (
    <>
      <PageHeader
        title={`Change ${name}`}
        back={{ to: '/services', text: 'Services' }}
        primary={
          <Button type="submit" form="service" loading={change.isPending} disabled={service.data === undefined}>
            Save
          </Button>
        }
      />
      {service.error === null ? null : <ErrorCard error={service.error} onRetry={() => void service.refetch()} />}
      {service.data === undefined ? null : (
        <ServiceForm
          id="service"
          initial={draftOf(service.data)}
          isNameFixed
          onSubmit={(draft) => change.mutate(draft)}
          error={change.error}
        />
      )}
    </>
  );
}
