import { Text } from '@mantine/core';
import { BytesChart } from '../../components/bytes-chart.tsx';
import { Section } from '../../components/section.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { StepProgress } from '../../components/step-progress.tsx';
import { useLiveProgress } from '../../lib/progress.ts';
import { stepsOf } from '../../lib/run-steps.ts';
import type { Backup } from './backup-actions.tsx';

const mainSteps = ['preflight', 'copying', 'uploading', 'sealing'];

/** Of a backup that is being made: step by step, and its bytes over time. */
export function BackupProgress({ backup: { name, status } }: { readonly backup: Backup }) {
  const live = useLiveProgress('Backup', name);
  const progress = live?.progress ?? status.progress;
  if (status.state === 'Deleting') {
    return (
      <Section title="Deleting">
        <Text size="sm">It is hidden from restores already; its data goes when nothing can need it any more.</Text>
      </Section>
    );
  }
  return (
    <Section title="Progress" aside={progress?.isLocked === true ? <Locked /> : null}>
      <StepProgress
        label="Steps of the backup"
        steps={stepsOf({ state: status.state, main: mainSteps, progress, done: undefined })}
      />
      {status.state === 'Running' && live !== undefined && live.progress.bytes.read > 0 ? (
        <BytesChart samples={live.samples} expected={live.progress.bytes.expected} />
      ) : null}
    </Section>
  );
}

function Locked() {
  return <StatusMark tone="doubtful" word="The server is locked for a moment" />;
}
