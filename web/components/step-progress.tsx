import { formatDuration } from '../../src/api/figures.ts';
import type { Step } from '../lib/run-steps.ts';
import { StatusMark } from './status-mark.tsx';
import classes from './step-progress.module.css';

const looks = {
  done: { tone: 'good', word: 'Done' },
  now: { tone: 'busy', word: 'Now' },
  ahead: { tone: 'quiet', word: 'Ahead' },
  failed: { tone: 'bad', word: 'Failed' },
  ended: { tone: 'quiet', word: 'Ended' },
} as const;

/** The steps of what runs or ran, in order, each with its time; the bars are as long as the steps took. */
export function StepProgress({ steps, label }: { readonly steps: readonly Step[]; readonly label: string }) {
  const longest = Math.max(1, ...steps.map(({ ms = 0 }) => ms));
  return (
    <ol className={classes['steps']} aria-label={label}>
      {steps.map((step, index) => (
        <li key={`${step.name} ${index}`} className={classes['step']} data-state={step.state}>
          <StatusMark {...looks[step.state]} />
          <span className={classes['name']}>{step.name}</span>
          <span className={classes['track']}>
            <Bar step={step} longest={longest} />
          </span>
          <span className={classes['time']}>{step.ms === undefined ? '' : formatDuration(step.ms)}</span>
          {step.detail === undefined ? null : <span className={classes['detail']}>{step.detail}</span>}
        </li>
      ))}
    </ol>
  );
}

function Bar({ step, longest }: { readonly step: Step; readonly longest: number }) {
  if (step.state === 'now' && step.part !== undefined) {
    const percent = Math.round(100 * Math.min(1, step.part));
    return (
      <span
        className={classes['bar']}
        role="progressbar"
        aria-label={step.name}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        style={{ width: `${percent}%` }}
      />
    );
  }
  if (step.state === 'now') return <span className={classes['bar']} data-unknown="true" />;
  const width = step.state === 'ahead' ? 0 : step.ms === undefined ? 100 : Math.max(1, (100 * step.ms) / longest);
  return <span className={classes['bar']} style={{ width: `${width}%` }} />;
}
