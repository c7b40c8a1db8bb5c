import { Text } from '@mantine/core';
import { Duration } from '../../components/figures.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { formatPercent } from '../../lib/format.ts';
import { useNow } from '../../lib/now.ts';
import { useLiveProgress } from '../../lib/progress.ts';
import { durationOf, runLooks } from '../../lib/states.ts';
import type { Backup } from './backup-actions.tsx';

export interface BackupStateProps {
  readonly backup: Backup;
  /** How far it is stands beside the mark, not below it. */
  readonly isBeside?: boolean;
}

/** Its state, and how far it is while it is made. */
export function BackupState({ backup, isBeside = false }: BackupStateProps) {
  const { name, status, spec } = backup;
  const live = useLiveProgress('Backup', name);
  const { state } = status;
  if (spec.isCancelled && state === 'Running') return <StatusMark tone="busy" word="Cancelling" />;
  if (state !== 'Running') return <StatusMark {...runLooks[state]} />;
  const { read, expected } = (live?.progress ?? status.progress)?.bytes ?? { read: 0, expected: undefined };
  return (
    <>
      <StatusMark {...runLooks[state]} />
      {expected === undefined ? null : (
        <Text component="div" inherit c="dimmed" pl={isBeside ? 0 : 20} className="figures">
          {formatPercent(Math.min(read, expected), expected)}
        </Text>
      )}
    </>
  );
}

/** How long it took, or takes so far. */
export function BackupDuration({ backup: { status } }: { readonly backup: Backup }) {
  const isTimed = status.startedAt !== undefined && status.endedAt === undefined && status.state === 'Running';
  const now = useNow(isTimed ? 1000 : 0);
  return <Duration ms={isTimed || status.endedAt !== undefined ? durationOf(status, now) : undefined} />;
}
