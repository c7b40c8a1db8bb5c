import { Paper, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { useLocation } from '@tanstack/react-router';
import type { Resource } from '../../../src/api/resources.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorCard } from '../../components/error-card.tsx';
import { ButtonLink } from '../../components/links.tsx';
import { asking } from '../../lib/api.ts';
import { describeServer } from '../../lib/describe-server.ts';
import { checkService, type ServiceDraft } from './service-draft.ts';

export interface ServiceFormProps {
  readonly id: string;
  readonly initial: ServiceDraft;
  /** The name of a service never changes. */
  readonly isNameFixed: boolean;
  readonly onSubmit: (draft: ServiceDraft) => void;
  readonly error: Error | null;
}

/** Without an agent there is no service. */
export const askingAgents = asking('listAgents', { query: { pageSize: 500, sort: 'name' } });

/** Its submit button is in the page's header, as the one primary action. */
export function ServiceForm({ id, initial, isNameFixed, onSubmit, error }: ServiceFormProps) {
  const agents = useQuery(askingAgents);
  const form = useForm<ServiceDraft>({ initialValues: initial, validate: checkService });
  if (agents.error !== null) return <ErrorCard error={agents.error} onRetry={() => void agents.refetch()} />;
  if (agents.data?.total === 0) return <NoAgents />;
  const choose = (agent: string | null): void => {
    form.setFieldValue('agent', agent ?? '');
    if (agent !== null && form.values.name === '') form.setFieldValue('name', agent);
  };
  return (
    <form id={id} onSubmit={form.onSubmit(onSubmit)} noValidate>
      <Stack maw={640}>
        {error === null ? null : <ErrorCard error={error} />}
        <Paper>
          <Stack>
            <Select
              label="Agent"
              description="The Holdfast agent on the host of the database server."
              required
              searchable
              data={agentChoices(agents.data?.items ?? [])}
              disabled={agents.data === undefined}
              nothingFoundMessage="No agent of that name"
              {...form.getInputProps('agent')}
              onChange={choose}
            />
            <TextInput
              label="Name"
              description={isNameFixed ? 'A service keeps its name.' : 'Backups, lists and logs know it by this.'}
              required={!isNameFixed}
              readOnly={isNameFixed}
              {...form.getInputProps('name')}
            />
            <TextInput
              label="Cluster label"
              description="Fills in the folder of its backups. Give the members of one cluster the same."
              {...form.getInputProps('clusterLabel')}
            />
            <Textarea label="Description" autosize minRows={2} {...form.getInputProps('description')} />
          </Stack>
        </Paper>
      </Stack>
    </form>
  );
}

function agentChoices(agents: readonly Resource<'Agent'>[]) {
  return agents.map(({ name, status }) => ({
    value: name,
    label: `${name} · ${describeServer(status)}`,
    disabled: status.server === undefined && status.state === 'Connected',
  }));
}

function NoAgents() {
  const { href } = useLocation();
  return (
    <EmptyState
      title="No agent has joined yet"
      icon="agent"
      actions={
        <ButtonLink to="/agents/-/new" search={{ returnTo: href }}>
          Add an agent
        </ButtonLink>
      }
    >
      A service is a database server with a Holdfast agent beside it. Let an agent join first; this form comes back when
      it has.
    </EmptyState>
  );
}
