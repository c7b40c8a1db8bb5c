import type { Tone } from '../lib/states.ts';
import classes from './status-mark.module.css';

export interface StatusMarkProps {
  readonly tone: Tone;
  readonly word: string;
  /** Being made right now: an ellipsis moves. */
  readonly isMoving?: boolean;
}

/** A state by word, shape and colour together. */
export function StatusMark({ tone, word, isMoving = tone === 'busy' }: StatusMarkProps) {
  return (
    <span className={classes['mark']} data-tone={tone}>
      {isMoving ? <Ellipsis /> : <Shape tone={tone} />}
      {word}
    </span>
  );
}

function Ellipsis() {
  return (
    <span className={classes['ellipsis']} aria-hidden="true">
      <i />
      <i />
      <i />
    </span>
  );
}

const shapes: Readonly<Record<Tone, string>> = {
  good: 'M2.500 6.500 5 9l4.500-6',
  bad: 'M3 3l6 6M9 3 3 9',
  busy: 'M6 1.500a4.500 4.500 0 1 1 0 9',
  waiting: 'M6 1.500a4.500 4.500 0 1 1 0 9 4.500 4.500 0 0 1 0-9ZM6 3.500V6l1.500 1',
  quiet: 'M2.500 6h7',
  doubtful: 'M6 1.500 11 10.500H1ZM6 4.800v2.500M6 9v.01',
};

function Shape({ tone }: { readonly tone: Tone }) {
  return (
    <svg viewBox="0 0 12 12" width="14" height="14" className={classes['shape']} aria-hidden="true" focusable="false">
      <path d={shapes[tone]} />
    </svg>
  );
}
