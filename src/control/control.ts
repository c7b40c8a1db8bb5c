import type { z } from 'zod';
import type { Preflight } from '../api/agent.ts';
import type { backupCreateSchema, backupRoutes, restoreTargetSchema } from '../api/backup-routes.ts';
import type { LogLine } from '../api/follow-log.ts';
import type { LocationSecrets } from '../api/inventory.ts';
import type { Resource, RunKind, SpecOf } from '../api/resources.ts';
import type { drillCreateSchema, restoreCreateSchema, restorePlanSchema } from '../api/restore-routes.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../lib/clock.ts';
import { Failure } from '../lib/failure.ts';
import type { Launcher } from './launcher.ts';
import type { Stores } from './places.ts';
import type { ProgressHub } from './progress-hub.ts';
import type { SecretStore } from './secrets.ts';

export interface ControlOptions {
  readonly catalog: Catalog;
  readonly secrets: SecretStore;
  readonly launcher: Launcher;
  readonly stores: Stores;
  readonly clock: Clock;
  /** For the manager's own log: what went wrong where nobody waits for an answer. */
  readonly onTrouble: (message: string, error?: unknown) => void;
  /** How long an agent may be silent until the attempt under way there has failed. Default 600,000. */
  readonly lostAfterMs?: number;
}

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

/**
 * The loops that make true what the catalog says is wanted, and what only they can answer. What a person wants is written
 * into the catalog and returned at once; the loops find it there, also after a crash.
 *
 * A name that is not in the catalog is InvalidRequest `no-such-backup`, `no-such-service` and so on.
 */
export interface Control extends AsyncDisposable {
  /** Of what runs; at most a second old. */
  readonly progress: ProgressHub;

  /** @throws Conflict `name-taken`; InvalidRequest `no-such-service`, `no-such-location` */
  createBackup(wish: BackupWish): Promise<Resource<'Backup'>>;
  /** Without a name one is made. @throws InvalidRequest `backup-not-restorable`, `no-such-agent` */
  createRestore(wish: RestoreWish): Promise<Resource<'Restore'>>;
  /** Without a name one is made, without an agent one that can is chosen. @throws InvalidRequest also `no-drill-host` */
  createDrill(wish: DrillWish): Promise<Resource<'Drill'>>;
  /** Wants the end of a run. Asking again is harmless. @throws Conflict `already-ended` */
  cancel<Kind extends RunKind>(kind: Kind, name: string): Promise<Resource<Kind>>;
  /** One more attempt, now. @throws Conflict `not-failed` */
  retryBackup(name: string): Promise<Resource<'Backup'>>;
  /** @throws Conflict `not-succeeded` */
  setPinned(name: string, isPinned: boolean): Promise<Resource<'Backup'>>;
  /** Deleting again after a failed deletion tries once more. @throws Conflict `pinned`, `still-running`, `being-read` */
  deleteBackup(name: string): Promise<Resource<'Backup'>>;

  /** What would keep a backup from succeeding: the agent's own findings, and the manager's. */
  preflightBackup(
    wish: { readonly service: string; readonly location: string; readonly folder?: string | undefined },
    options: Abortable,
  ): Promise<BackupPreflight>;
  /** Can its server be backed up? Without a storage location. */
  testService(name: string, options: Abortable): Promise<Preflight>;
  /** Writes, reads back, lists and deletes in a location that need not be in the catalog. */
  testLocation(test: LocationTest, options: Abortable): Promise<Preflight>;
  /** The same for one in the catalog, whose status tells of it then. */
  testStoredLocation(name: string, options: Abortable): Promise<Resource<'StorageLocation'>>;
  /** What deleting a backup would free, read from its repository. @throws Failure of the store */
  frees(backup: string, options: Abortable): Promise<Freed>;
  /** Every service and every host with an agent, and why a backup cannot go there. */
  restoreTargets(backup: string): Promise<readonly RestorePlace[]>;
  /** What a restore would do; changes nothing. */
  planRestore(wish: RestoreWish, options: Abortable): Promise<RestorePlan>;
  /**
   * What the tools print, from line `from` on, counted from 0; with `follow` until the run has ended, else what is there.
   * Of a backup whose agent does not know it any more, the log that is kept in the repository.
   * @throws InvalidRequest `no-log` where nothing was kept
   */
  followLog(
    kind: RunKind,
    name: string,
    options: Abortable & { readonly from: number; readonly follow: boolean },
  ): AsyncIterable<LogLine>;
}

/** Begins to watch the catalog and to work. Disposing waits until what is under way has stopped; nothing is cancelled. */
export async function startControl(options: ControlOptions): Promise<Control> {
  options.onTrouble('The control loops are not here yet');
  throw new Failure('not-built', 'Cannot start the control loops as they are not here yet');
}
