import type { Resource } from '../../../src/api/resources.ts';
import { canBeCancelled } from '../../lib/states.ts';

export interface MayBeDone {
  readonly restore: boolean;
  readonly cancel: boolean;
  readonly retry: boolean;
  readonly pin: boolean;
  readonly delete: boolean;
  /** Why not, where a person would wonder. */
  readonly whyNotDelete: string | undefined;
}

/** What can be done with a backup, by its state. */
export function whatMayBeDone({ status: { state }, spec }: Pick<Resource<'Backup'>, 'status' | 'spec'>): MayBeDone {
  const isDeletable = ['Succeeded', 'Failed', 'Cancelled', 'DeleteFailed'].includes(state);
  return {
    restore: state === 'Succeeded',
    cancel: canBeCancelled(state) && !spec.isCancelled,
    retry: state === 'Failed' || (state === 'Waiting' && !spec.isCancelled),
    pin: state === 'Succeeded' || state === 'DeleteFailed',
    delete: isDeletable && !spec.isPinned,
    whyNotDelete: isDeletable && spec.isPinned ? 'It is pinned; unpin it first.' : undefined,
  };
}

/** One that waits is tried again by itself, and need not be waited for. */
export function retryWords({ status: { state } }: Pick<Resource<'Backup'>, 'status'>): string {
  return state === 'Waiting' ? 'Try again now' : 'Try again';
}
