import type { JobProgress } from '../../../src/api/jobs.ts';
import type { BackupState } from '../../../src/api/runs.ts';
import type { Step } from '../../components/step-progress.tsx';
import { formatBytes, formatDuration, formatRate } from '../../lib/format.ts';

/** In order; the agent tells of the first one by two names. */
const steps = [
  { names: ['starting', 'preflight'], text: 'Look before' },
  { names: ['copying'], text: 'Copy the files' },
  { names: ['uploading'], text: 'Upload the rest' },
  { names: ['sealing'], text: 'Seal' },
] as const;

/** The steps of a backup that is being made. */
export function backupSteps(state: BackupState, progress: JobProgress | undefined): readonly Step[] {
  const isRunning = state === 'Running' || state === 'Starting';
  const at = isRunning ? steps.findIndex(({ names }) => names.some((name) => name === progress?.step)) : -1;
  return steps.map(({ text }, index) => {
    if (index < at) return { name: text, state: 'done' };
    if (index > at || progress === undefined) return { name: text, state: 'ahead' };
    return { name: text, state: 'now', part: partOf(progress), detail: detailOf(progress) };
  });
}

function partOf({ step, bytes }: JobProgress): number | undefined {
  if (step !== 'copying' || bytes.expected === undefined || bytes.expected === 0) return undefined;
  return Math.min(1, bytes.read / bytes.expected);
}

/** `1.20 GB of 3.40 GB read, 90.0 MB/s, 25 s left, 310 MB uploaded` */
function detailOf({ step, bytes, ratePerSecond, etaSeconds }: JobProgress): string | undefined {
  const { read, expected, uploaded } = bytes;
  const parts = [
    step === 'copying'
      ? `${formatBytes(read)}${expected === undefined ? '' : ` of ${formatBytes(expected)}`} read`
      : undefined,
    step === 'copying' && ratePerSecond !== undefined ? formatRate(ratePerSecond) : undefined,
    step === 'copying' && etaSeconds !== undefined ? `${formatDuration(etaSeconds * 1000)} left` : undefined,
    uploaded === undefined || uploaded === 0 ? undefined : `${formatBytes(uploaded)} uploaded`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(', ');
}
