import { Button, Grid, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { Resource } from '../../../src/api/resources.ts';
import { ErrorCard } from '../../components/error-card.tsx';
import { Facts } from '../../components/facts.tsx';
import { Age, Time } from '../../components/figures.tsx';
import { FindingsOnTheirWay } from '../../components/findings.tsx';
import { AnchorLink, ButtonLink } from '../../components/links.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { RemoveResource } from '../../components/remove-resource.tsx';
import { Section } from '../../components/section.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { May } from '../../components/may.tsx';
import { asking, call } from '../../lib/api.ts';
import { locationLooks } from '../../lib/inventory-looks.ts';
import { describePlace, describeType } from './location-draft.ts';
import { TestFindings } from './test-findings.tsx';

const route = getRouteApi('/shell/locations/$name');
const back = { to: '/locations', text: 'Storage Locations' } as const;

export function LocationDetails() {
  const { name } = route.useParams();
  const location = useQuery(asking('getLocation', { params: { name } }));
  if (location.data !== undefined) return <Location location={location.data} />;
  return (
    <>
      <PageHeader title={name} back={back} />
      {location.error === null ? null : <ErrorCard error={location.error} onRetry={() => void location.refetch()} />}
    </>
  );
}

function Location({ location }: { readonly location: Resource<'StorageLocation'> }) {
  const { name, spec, status } = location;
  return (
    <>
      <PageHeader
        title={name}
        back={back}
        mark={<StatusMark {...locationLooks[status.state]} />}
        lead={spec.description === '' ? undefined : spec.description}
        primary={
          <May needs="admin">
            <ButtonLink to="/locations/$name/edit" params={{ name }}>
              Edit
            </ButtonLink>
          </May>
        }
      />
      <Grid gap="md" align="start">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack>
            <Test name={name} status={status} />
            <RemoveResource
              what="storage location"
              name={name}
              listPage="/locations"
              topic="locations"
              remove={() => call('removeLocation', { params: { name } })}
            >
              The manager forgets this location and its secrets. What is stored there stays. A location that a backup is
              in cannot be removed.
            </RemoveResource>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <About location={location} />
        </Grid.Col>
      </Grid>
    </>
  );
}

interface TestProps {
  readonly name: string;
  readonly status: Resource<'StorageLocation'>['status'];
}

function Test({ name, status }: TestProps) {
  const queries = useQueryClient();
  const test = useMutation({
    mutationFn: () => call('testStoredLocation', { params: { name } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['locations'] }),
  });
  const { findings, testedAt } = status;
  return (
    <Section
      title="Test"
      aside={
        <May needs="operator">
          <Button size="compact-sm" variant="default" onClick={() => test.mutate()} loading={test.isPending}>
            {testedAt === undefined ? 'Test' : 'Test again'}
          </Button>
        </May>
      }
    >
      <div role="status">
        {test.isPending ? (
          <FindingsOnTheirWay>Writing, reading back, listing and deleting</FindingsOnTheirWay>
        ) : (
          <Text size="sm" c="dimmed">
            {testedAt === undefined ? (
              'It was not tested yet.'
            ) : (
              <>
                Tested <Age at={testedAt} />.
              </>
            )}
          </Text>
        )}
        {test.isPending || findings.length === 0 ? null : <TestFindings findings={findings} />}
      </div>
      {test.error === null ? null : <ErrorCard error={test.error} />}
    </Section>
  );
}

function About({ location: { name, spec, status, createdAt } }: { readonly location: Resource<'StorageLocation'> }) {
  const { place, isEncrypted } = spec;
  const secret = (key: string): string => (status.secrets.includes(key) ? 'set' : 'not set');
  const s3 =
    place.type === 's3'
      ? ([
          ['Region', place.region],
          ['Access key', secret('accessKeyId')],
          ['Secret key', secret('secretAccessKey')],
          ...(status.secrets.includes('sessionToken') ? [['Session token', 'set'] as const] : []),
        ] as const)
      : [];
  return (
    <Section title="About">
      <Facts
        facts={[
          ['Type', describeType(place)],
          [place.type === 's3' ? 'Bucket' : 'Path', describePlace(place)],
          ...s3,
          ['Encryption', isEncrypted ? `with a passphrase, ${secret('passphrase')}` : 'none'],
          ['Added', <Time key="added" at={createdAt} />],
          [
            'Backups',
            <AnchorLink key="backups" to="/backups" search={{ location: name }} inherit>
              Show what is stored here
            </AnchorLink>,
          ],
        ]}
      />
    </Section>
  );
}
