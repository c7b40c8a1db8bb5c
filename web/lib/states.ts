import type { BackupState } from '../../src/api/runs.ts';

/** What a state means to who looks: colour and shape follow from it. */
export type Tone = 'good' | 'bad' | 'busy' | 'waiting' | 'quiet' | 'doubtful';

export interface Look {
  readonly tone: Tone;
  readonly word: string;
}

/** Of backups, restores and drills. */
export const runLooks: Readonly<Record<BackupState, Look>> = {
  Pending: { tone: 'waiting', word: 'Pending' },
  Starting: { tone: 'busy', word: 'Starting' },
  Running: { tone: 'busy', word: 'Running' },
  Waiting: { tone: 'waiting', word: 'Waiting' },
  Succeeded: { tone: 'good', word: 'Succeeded' },
  Failed: { tone: 'bad', word: 'Failed' },
  Cancelled: { tone: 'quiet', word: 'Cancelled' },
  Deleting: { tone: 'busy', word: 'Deleting' },
  Deleted: { tone: 'quiet', word: 'Deleted' },
  DeleteFailed: { tone: 'bad', word: 'Delete failed' },
};

/** Will it change by itself? */
export function isUnderWay(state: BackupState): boolean {
  return ['Pending', 'Starting', 'Running', 'Waiting', 'Deleting'].includes(state);
}

export function canBeCancelled(state: BackupState): boolean {
  return ['Pending', 'Starting', 'Running', 'Waiting'].includes(state);
}

/** From its first start to its end, or until now; undefined before it began. */
export function durationOf(
  { startedAt, endedAt }: { startedAt?: string; endedAt?: string },
  now: number,
): number | undefined {
  if (startedAt === undefined) return undefined;
  return Math.max(0, (endedAt === undefined ? now : Date.parse(endedAt)) - Date.parse(startedAt));
}
