import type { Preflight } from '../api/agent.ts';
import type { LogLine } from '../api/follow-log.ts';
import type { Resource, RunKind } from '../api/resources.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../lib/clock.ts';
import type { Launcher } from './launcher.ts';
import type { Stores } from './places.ts';
import { ProgressHub } from './progress-hub.ts';
import { FolderUse } from './folder-use.ts';
import { frees } from './freed.ts';
import { testLocation, testStoredLocation } from './location-test.ts';
import { Loops } from './loops.ts';
import { preflightBackup, testService } from './preflights.ts';
import { Repositories } from './repositories.ts';
import { planRestore } from './restore-plan.ts';
import { restoreTargets } from './restore-targets.ts';
import { runLog } from './run-log.ts';
import { type ChangedLocation, refuseWrongKey } from './stored-key.ts';
import type {
  Abortable,
  BackupPreflight,
  BackupWish,
  DrillWish,
  Freed,
  LocationTest,
  RestorePlace,
  RestorePlan,
  RestoreWish,
} from './wish-types.ts';
import { cancelRun, createBackup, createDrill, createRestore, deleteBackup, retryBackup, setPinned } from './wishes.ts';
import type { SecretStore } from './secrets.ts';

const LOST_AFTER_MS = 600_000;

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
  /** Deleting again after a failed deletion tries once more. @throws Conflict `pinned`, `still-running` */
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
  /** Would a location that is changed so still open what it holds? @throws PermanentFailure `wrong-key` if not */
  refuseWrongKey(location: ChangedLocation, options: Abortable): Promise<void>;
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
  const { catalog, secrets, launcher, stores, clock, onTrouble, lostAfterMs = LOST_AFTER_MS } = options;
  const progress = new ProgressHub();
  const repositories = new Repositories({ catalog, secrets, stores, clock });
  const folders = new FolderUse();
  const shared = { catalog, secrets, launcher, stores, clock, onTrouble, lostAfterMs };
  const context = { ...shared, progress, repositories, folders };
  const loops = await Loops.start(context, (change) => folders.observe(change));
  return {
    progress,
    createBackup: async (wish) => createBackup(context, wish),
    createRestore: async (wish) => createRestore(context, wish),
    createDrill: async (wish) => createDrill(context, wish),
    cancel: async (kind, name) => cancelRun(context, { kind, name }),
    retryBackup: async (name) => retryBackup(context, name),
    setPinned: async (name, isPinned) => setPinned(context, name, isPinned),
    deleteBackup: async (name) => deleteBackup(context, name),
    preflightBackup: async (wish, abortable) => preflightBackup(context, wish, abortable),
    testService: async (name, abortable) => testService(context, name, abortable),
    testLocation: async (test, abortable) => testLocation(context, test, abortable),
    refuseWrongKey: async (location, abortable) => refuseWrongKey(context, location, abortable),
    testStoredLocation: async (name, abortable) => testStoredLocation(context, name, abortable),
    frees: async (backup, abortable) => frees(context, backup, abortable),
    restoreTargets: async (backup) => restoreTargets(context, backup),
    planRestore: async (wish, abortable) => planRestore(context, wish, abortable),
    followLog: (kind, name, wish) => runLog(context, { kind, name }, wish),
    [Symbol.asyncDispose]: async () => loops[Symbol.asyncDispose](),
  };
}
