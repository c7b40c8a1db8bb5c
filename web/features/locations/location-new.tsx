import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { ErrorCard } from '../../components/error-card.tsx';
import { FindingsOnTheirWay } from '../../components/findings.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { Section } from '../../components/section.tsx';
import { call } from '../../lib/api.ts';
import { returnWith } from '../../lib/return-to.ts';
import { bodyOf, emptyLocation, type LocationDraft } from './location-draft.ts';
import { LocationForm, useLocationForm } from './location-form.tsx';
import { TestFindings } from './test-findings.tsx';

const route = getRouteApi('/shell/locations/-/new');

export function LocationNew() {
  const { returnTo } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const form = useLocationForm(emptyLocation, []);
  const test = useMutation({ mutationFn: (draft: LocationDraft) => call('testLocation', { body: testBodyOf(draft) }) });
  const create = useMutation({
    mutationFn: (draft: LocationDraft) => call('createLocation', { body: bodyOf(draft) }),
    onSuccess: async ({ name }) => {
      await queries.invalidateQueries({ queryKey: ['locations'] });
      if (returnTo === undefined) await router.navigate({ to: '/locations/$name', params: { name } });
      else router.history.push(returnWith(returnTo, { location: name }));
    },
  });
  // What was found before does not hold any more.
  const tryOut = (draft: LocationDraft): void => {
    create.reset();
    test.mutate(draft);
  };
  const add = (draft: LocationDraft): void => {
    test.reset();
    create.mutate(draft);
  };
  return (
    <>
      <PageHeader
        title="Add a storage location"
        lead={`Where backups are stored. It is tested before it is added.${returnTo === undefined ? '' : ' You come back to where you were.'}`}
        back={{ to: '/locations', text: 'Storage Locations' }}
        actions={
          <Button variant="default" onClick={() => form.onSubmit(tryOut)()} loading={test.isPending}>
            Test
          </Button>
        }
        primary={
          <Button type="submit" form="location" loading={create.isPending}>
            Add storage location
          </Button>
        }
      />
      <TestResult test={test} />
      <LocationForm id="location" form={form} known={undefined} onSubmit={add} error={create.error} />
    </>
  );
}

interface TestResultProps {
  readonly test: {
    readonly isPending: boolean;
    readonly error: Error | null;
    readonly data: Awaited<ReturnType<typeof call<'testLocation'>>> | undefined;
  };
}

function TestResult({ test: { isPending, error, data } }: TestResultProps) {
  if (!isPending && error === null && data === undefined) return <div role="status" />;
  return (
    <div role="status" style={{ maxWidth: 640, marginBottom: 'var(--mantine-spacing-md)' }}>
      {error === null ? (
        <Section title="What the test found">
          {data === undefined || isPending ? (
            <FindingsOnTheirWay>Writing, reading back, listing and deleting</FindingsOnTheirWay>
          ) : (
            <TestFindings findings={data.findings} />
          )}
        </Section>
      ) : (
        <ErrorCard error={error} />
      )}
    </div>
  );
}

function testBodyOf(draft: LocationDraft) {
  const { place, isEncrypted, secrets } = bodyOf(draft);
  return { place, isEncrypted, secrets };
}
