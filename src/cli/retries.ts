import { isPermanent } from '../lib/failure.ts';
import type { Clock } from '../lib/clock.ts';
import type { Output } from './output.ts';
import { formatDuration } from '../api/figures.ts';

const firstPauseMs = 10_000;
const longestPauseMs = 300_000;

interface Patience {
  readonly output: Pick<Output, 'warn'>;
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** Repeats work that failed for a reason that may pass, with longer and longer pauses. @param work is told how often it failed before */
export async function withRetries<T>(
  { output, signal, clock }: Patience,
  retries: number,
  work: (failures: number) => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await work(failures);
    } catch (error) {
      if (signal.aborted || isPermanent(error) || failures >= retries) throw error;
      const pause = Math.min(longestPauseMs, firstPauseMs * 3 ** failures);
      const message = error instanceof Error ? error.message : String(error);
      output.warn(`${message}. The next attempt begins in ${formatDuration(pause)}.`);
      await clock.sleep(pause, { signal });
    }
  }
}
