import { Text, Tooltip } from '@mantine/core';
import { formatBytes, formatDuration } from '../../src/api/figures.ts';
import { formatAge, formatExactTime, formatInterval, formatTime } from '../lib/format.ts';
import { useNow } from '../lib/now.ts';

/** A dash where there is nothing (yet), so that it is not taken for something that did not load. */
export function Nothing() {
  return (
    <Text component="span" inherit c="dimmed">
      –
    </Text>
  );
}

export function Bytes({ value }: { readonly value: number | undefined }) {
  return value === undefined ? <Nothing /> : <span className="figures">{formatBytes(value)}</span>;
}

export function Duration({ ms }: { readonly ms: number | undefined }) {
  return ms === undefined ? <Nothing /> : <span className="figures">{formatDuration(ms)}</span>;
}

/** A time, with its age and its seconds for who points at it. */
export function Time({ at }: { readonly at: string | undefined }) {
  const now = useNow();
  if (at === undefined) return <Nothing />;
  return (
    <Tooltip label={`${formatExactTime(at)}, ${formatAge(at, now)}`}>
      <time dateTime={at} className="figures">
        {formatTime(at)}
      </time>
    </Tooltip>
  );
}

/** As Time, with the hour below the day: for columns. */
export function TimeBelow({ at }: { readonly at: string | undefined }) {
  const now = useNow();
  if (at === undefined) return <Nothing />;
  const [date, hour] = formatTime(at).split(' ');
  return (
    <Tooltip label={`${formatExactTime(at)}, ${formatAge(at, now)}`}>
      <time dateTime={at} className="figures">
        {date}
        <br />
        <Text component="span" inherit c="dimmed">
          {hour}
        </Text>
      </time>
    </Tooltip>
  );
}

/** How long it takes until a time comes, by the second: `in 27 s`. */
export function Countdown({ to }: { readonly to: string }) {
  const now = useNow(1000);
  const ms = Math.max(0, Date.parse(to) - now);
  return (
    <Tooltip label={formatExactTime(to)}>
      <time dateTime={to} className="figures">
        {ms < 1000 ? 'now' : `in ${formatInterval(Math.ceil(ms / 1000))}`}
      </time>
    </Tooltip>
  );
}

/** How long ago (or how far ahead) a time is. */
export function Age({ at }: { readonly at: string }) {
  const now = useNow();
  return (
    <Tooltip label={formatExactTime(at)}>
      <time dateTime={at} className="figures">
        {formatAge(at, now)}
      </time>
    </Tooltip>
  );
}
