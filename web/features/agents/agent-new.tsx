import { Button, Code, CopyButton, Group, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ErrorCard } from '../../components/error-card.tsx';
import { Age } from '../../components/figures.tsx';
import { Icon } from '../../components/icon.tsx';
import { Notice } from '../../components/notice.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { Section } from '../../components/section.tsx';
import { type Answer, call } from '../../lib/api.ts';
import { useNow } from '../../lib/now.ts';
import classes from './agent-new.module.css';
import { Joined } from './joined.tsx';

const route = getRouteApi('/shell/agents/-/new');
const validSeconds = 3600;

/** Makes a token, shows the command that uses it, and waits until the agent is there. */
export function AgentNew() {
  const { returnTo, replaces } = route.useSearch();
  const body = replaces === undefined ? { validSeconds } : { validSeconds, replaces };
  const token = useMutation({ mutationFn: () => call('createJoinToken', { body }) });
  return (
    <>
      <PageHeader
        title={replaces === undefined ? 'Add an agent' : `Let ${replaces} join again`}
        lead={
          replaces === undefined
            ? 'A host joins with one command. Nothing has to be copied back here.'
            : 'For an agent whose host was replaced or set up anew. Its services and backups stay as they are.'
        }
        back={{ to: '/agents', text: 'Agents' }}
        primary={
          <Button onClick={() => token.mutate()} loading={token.isPending}>
            {token.data === undefined ? 'Make a token' : 'Make another token'}
          </Button>
        }
      />
      <Stack maw={760}>
        {token.error === null ? null : <ErrorCard error={token.error} />}
        {token.data === undefined ? (
          <Before />
        ) : (
          <Command key={token.data.token} token={token.data} returnTo={returnTo} replaces={replaces} />
        )}
      </Stack>
    </>
  );
}

function Before() {
  return (
    <Section title="How it goes">
      <ol className={classes['list']}>
        <li>Install Holdfast on the host of the database server, or on a host without one where drills shall run.</li>
        <li>Make a token here. It is good for one agent and for one hour.</li>
        <li>Give it to the agent with the command that is shown. The agent shows up here by itself.</li>
      </ol>
    </Section>
  );
}

interface CommandProps {
  readonly token: Answer<'createJoinToken'>;
  readonly returnTo: string | undefined;
  readonly replaces: string | undefined;
}

function Command({ token, returnTo, replaces }: CommandProps) {
  const now = useNow(5000);
  const isExpired = Date.parse(token.expiresAt) < now;
  if (isExpired) {
    return (
      <Notice icon="clock" title="The token has expired">
        Make another one; this one lets nobody join any more.
      </Notice>
    );
  }
  return (
    <>
      <Section title="On the host">
        <Copied label="Command" text={token.command}>
          Run this, as the user that the agent runs as:
        </Copied>
        <Copied label="Token" text={token.token}>
          It reads the token from the terminal, so that it is seen in no list of processes. Paste it, then press Enter
          and Ctrl+D:
        </Copied>
        <Text size="sm" c="dimmed">
          The token is shown this once, lets one agent join, and expires <Age at={token.expiresAt} />. Whoever has it
          can let a host of theirs join: pass it on as you would a password.
        </Text>
      </Section>
      <Joined since={Date.parse(token.expiresAt) - validSeconds * 1000} returnTo={returnTo} replaces={replaces} />
    </>
  );
}

interface CopiedProps {
  readonly label: string;
  readonly text: string;
  /** What is done with it. */
  readonly children: string;
}

/** A text to be taken to the host. */
function Copied({ label, text, children }: CopiedProps) {
  return (
    <div>
      <Group justify="space-between" gap="xs" mb={6} wrap="nowrap" align="end">
        <Text size="sm">{children}</Text>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<Icon name="copy" size={14} />}
              onClick={copy}
              aria-label={`${copied ? 'Copied' : 'Copy'} the ${label.toLowerCase()}`}
              style={{ flex: 'none' }}
            >
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </Group>
      <pre className={classes['command']} tabIndex={0} role="region" aria-label={label}>
        <Code>{text}</Code>
      </pre>
    </div>
  );
}
