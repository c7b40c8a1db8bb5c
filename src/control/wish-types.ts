import type * as z from 'zod';
import type { backupCreateSchema, backupRoutes, restoreTargetSchema } from '../api/backup-routes.ts';
import type { LocationSecrets } from '../api/inventory.ts';
import type { SpecOf } from '../api/resources.ts';
import type { drillCreateSchema, restoreCreateSchema, restorePlanSchema } from '../api/restore-routes.ts';

/** What is asked of the control loops, and what they answer; in the words of the routes. */

export interface Abortable {
  readonly signal: AbortSignal;
}

export type BackupWish = z.output<typeof backupCreateSchema>;
export type RestoreWish = z.output<typeof restoreCreateSchema>;
export type DrillWish = z.output<typeof drillCreateSchema>;
export type RestorePlan = z.output<typeof restorePlanSchema>;
export type RestorePlace = z.output<typeof restoreTargetSchema>;
export type Freed = z.output<typeof backupRoutes.previewDelete.response>;
export type BackupPreflight = z.output<typeof backupRoutes.preflightBackup.response>;
export interface LocationTest {
  readonly spec: Pick<SpecOf<'StorageLocation'>, 'place' | 'isEncrypted'>;
  readonly secrets: LocationSecrets;
}
