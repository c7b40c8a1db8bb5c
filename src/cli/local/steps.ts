import type { StepProgress } from '../../core/prepare-restore.ts';
import type { ProgressState } from '../progress.ts';

/** What a step of a restore or drill shows. */
export function stepState({ step, bytes, tables }: StepProgress): ProgressState {
  if (tables) return { step, ...tables, unit: 'tables' };
  return bytes ? { step, ...bytes } : { step };
}
