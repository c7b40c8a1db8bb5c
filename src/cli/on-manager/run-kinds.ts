import type { CallOutput } from '../../api/manager-client.ts';
import { InvalidRequest } from '../../lib/failure.ts';

/** Routes of what runs for a manager, by kind. */
export const runKinds = {
  backup: { list: 'listBackups', get: 'getBackup', cancel: 'cancelBackup', log: 'backups' },
  restore: { list: 'listRestores', get: 'getRestore', cancel: 'cancelRestore', log: 'restores' },
  drill: { list: 'listDrills', get: 'getDrill', cancel: 'cancelDrill', log: 'drills' },
} as const;
export type RunKindWord = keyof typeof runKinds;
export type RunResource = CallOutput<'getBackup' | 'getRestore' | 'getDrill'>;

export type BackupResource = CallOutput<'getBackup'>;
export type RestoreResource = CallOutput<'getRestore'>;
export type DrillResource = CallOutput<'getDrill'>;

/** @throws InvalidRequest where it is left out */
export function needed(value: string | undefined, options: { readonly flag: string; readonly what: string }): string {
  if (value !== undefined) return value;
  throw new InvalidRequest('option-needed', `Cannot do this on a manager without ${options.flag}`, {
    nextStep: `Give ${options.what} with ${options.flag}.`,
  });
}
