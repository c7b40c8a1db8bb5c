import { Button, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { ErrorCard } from '../../components/error-card.tsx';
import { Findings, FindingsOnTheirWay } from '../../components/findings.tsx';
import { Section } from '../../components/section.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { type Answer, call } from '../../lib/api.ts';
import { plural } from '../../../src/api/figures.ts';
import { type Draft, draftErrors } from './draft.ts';

const typingMs = 400;

/** What would keep the backup from succeeding; asked as soon as a service and a location are chosen. */
export function usePreflight(draft: Draft) {
  const { service, location, folder } = draft;
  const isFolder = draftErrors(draft).folder === undefined;
  const [asked] = useDebouncedValue({ service, location, ...(folder === '' || !isFolder ? {} : { folder }) }, typingMs);
  return useQuery({
    queryKey: ['preflight', asked],
    queryFn: ({ signal }) => call('preflightBackup', { body: asked }, { signal }),
    enabled: asked.service !== '' && asked.location !== '',
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
}

export interface PreflightProps {
  readonly draft: Draft;
  readonly preflight: ReturnType<typeof usePreflight>;
}

export function Preflight({ draft, preflight }: PreflightProps) {
  const { data, isFetching, refetch } = preflight;
  const isChosen = draft.service !== '' && draft.location !== '';
  return (
    <Section
      title="Preflight"
      aside={
        data === undefined || !isChosen ? null : (
          <Button size="compact-xs" variant="default" loading={isFetching} onClick={() => void refetch()}>
            Check again
          </Button>
        )
      }
    >
      <div aria-live="polite">
        {isChosen ? (
          <Asked service={draft.service} preflight={preflight} />
        ) : (
          <Text size="sm" c="dimmed">
            Choose a service and a storage location, and what could keep the backup from succeeding is found before it
            begins.
          </Text>
        )}
      </div>
    </Section>
  );
}

function Asked({ service, preflight }: { readonly service: string } & Pick<PreflightProps, 'preflight'>) {
  const { data, error, refetch } = preflight;
  if (error !== null) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <FindingsOnTheirWay>Asking the agent and the store…</FindingsOnTheirWay>;
  return <Found answer={data} service={service} />;
}

function Found({ answer, service }: { readonly answer: Answer<'preflightBackup'>; readonly service: string }) {
  const { isGo, findings, sharedWith } = answer;
  const stops = findings.filter(({ level }) => level === 'error').length;
  const others = sharedWith.filter((name) => name !== service);
  return (
    <>
      <Text size="sm" fw={600} mb="xs" component="div">
        {isGo ? (
          <StatusMark tone="good" word="Ready to back up" />
        ) : (
          <StatusMark tone="bad" word={`Not ready: ${plural(Math.max(1, stops), 'thing')} to mend first`} />
        )}
      </Text>
      <Findings label="What was found" findings={findings} />
      {others.length === 0 ? null : (
        <Text size="sm" mt="sm">
          <b>{others.join(', ')}</b> {others.length === 1 ? 'backs' : 'back'} up into the same folder. Backups into one
          folder wait for each other: while one of {others.length === 1 ? 'its' : 'theirs'} runs, this one is Pending.
        </Text>
      )}
    </>
  );
}
