import { Button, Checkbox, CopyButton, Group, Stack, Text, TextInput } from '@mantine/core';
import { useEffect, useMemo, useRef, useState } from 'react';
import { plural } from '../../src/api/figures.ts';
import { type LogKind, logUrl, type RunLog, useRunLog } from '../lib/run-log.ts';
import { ErrorCard } from './error-card.tsx';
import { Icon } from './icon.tsx';
import classes from './log-view.module.css';

export interface LogViewProps {
  readonly kind: LogKind;
  readonly name: string;
  /** Has the run ended, so that the log will not grow? */
  readonly isOver: boolean;
}

/** What the tools said: follows while the run goes on; can be searched, copied and downloaded. */
export function LogView(props: LogViewProps) {
  return <Log key={`${props.kind}/${props.name}`} {...props} />;
}

function Log({ kind, name, isOver }: LogViewProps) {
  const log = useRunLog({ kind, name, isOver });
  const [search, setSearch] = useState('');
  const [isFollowing, setFollowing] = useState(true);
  const shown = useMemo(() => matching(log, search), [log, search]);
  const region = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (isFollowing && region.current !== null) region.current.scrollTop = region.current.scrollHeight;
  }, [shown, isFollowing]);
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <TextInput
          type="search"
          size="xs"
          aria-label="Search the log"
          placeholder="Search the log"
          leftSection={<Icon name="search" size={14} />}
          value={search}
          onChange={({ currentTarget }) => setSearch(currentTarget.value)}
          w={180}
        />
        <Checkbox
          size="xs"
          label="Follow"
          checked={isFollowing}
          onChange={({ currentTarget }) => setFollowing(currentTarget.checked)}
        />
        <Text size="xs" c="dimmed" className="figures" flex={1}>
          {search === '' ? plural(log.lines.length, 'line') : `${shown.length} of ${plural(log.lines.length, 'line')}`}
          {log.isLive && !isOver ? ' so far' : ''}
        </Text>
        <CopyButton value={log.lines.join('\n')}>
          {({ copied, copy }) => (
            <Button size="compact-sm" variant="default" leftSection={<Icon name="copy" size={14} />} onClick={copy}>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
        <Button
          component="a"
          href={logUrl(kind, name)}
          download={`${name}.log`}
          size="compact-sm"
          variant="default"
          leftSection={<Icon name="download" size={14} />}
        >
          Download
        </Button>
      </Group>
      {log.error === undefined ? null : <ErrorCard error={log.error} />}
      <pre
        ref={region}
        className={classes['log']}
        tabIndex={0}
        role="log"
        aria-label={`Log of ${name}`}
        aria-live="off"
        onWheel={({ deltaY }) => {
          if (deltaY < 0) setFollowing(false);
        }}
      >
        {shown.length === 0 ? (
          <Text component="span" inherit c="dimmed">
            {emptyText(log, search)}
          </Text>
        ) : null}
        {shown.map(({ number, text }) => (
          <span key={number} className={classes['line']}>
            {text === '' ? '\u00a0' : text}
          </span>
        ))}
      </pre>
    </Stack>
  );
}

/** The newest lines only: more than these nobody reads in a browser; the download has them all. */
const maximumShown = 2000;

function matching(
  { lines, first }: RunLog,
  search: string,
): readonly { readonly number: number; readonly text: string }[] {
  const wanted = search.toLowerCase();
  const numbered = lines.map((text, index) => ({ number: first + index, text }));
  const found = wanted === '' ? numbered : numbered.filter(({ text }) => text.toLowerCase().includes(wanted));
  return found.slice(-maximumShown);
}

function emptyText(log: RunLog, search: string): string {
  if (search !== '' && log.lines.length > 0) return 'No line holds this.';
  return log.isLive ? 'Nothing was said yet.' : 'There is no log.';
}
