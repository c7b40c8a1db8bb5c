import { type Resource, type ResourceKind, resourceKinds } from '../api/resources.ts';
import type { Change } from '../catalog/catalog.ts';
import { Admission } from './admission.ts';
import { BackupCare } from './backup-care.ts';
import { backupOps } from './backup-ops.ts';
import type { ControlContext } from './context.ts';
import { isKind } from './is-kind.ts';
import { drillOps, restoreOps } from './restore-ops.ts';
import { RunController } from './run-controller.ts';
import { hasEnded } from './run-states.ts';
import { isWorthRecording, serviceStatus } from './service-status.ts';

/** What is done about each kind of resource, by key: `<kind>/<name>`. */
export class Reconcilers {
  readonly #context: ControlContext;
  readonly #care: BackupCare;
  readonly #backups: RunController<'Backup'>;
  readonly #restores: RunController<'Restore'>;
  readonly #drills: RunController<'Drill'>;
  /** Service ↦ agent. */
  readonly #services = new Map<string, string>();

  /** @param add puts a key into the queue */
  constructor(context: ControlContext, add: (key: string) => void) {
    this.#context = context;
    const admission = new Admission(({ kind, name }) => add(keyOf(kind, name)));
    this.#care = new BackupCare(context);
    this.#backups = new RunController(backupOps(context), context, admission);
    this.#restores = new RunController(restoreOps(context), context, admission);
    this.#drills = new RunController(drillOps(context), context, admission);
  }

  /** Of what was under way when the manager ended; before any work begins. */
  async adopt(resource: Resource): Promise<void> {
    if (isKind('Backup', resource)) await this.#backups.adopt(resource);
    if (isKind('Restore', resource)) await this.#restores.adopt(resource);
    if (isKind('Drill', resource)) await this.#drills.adopt(resource);
  }

  /** @returns the keys that a change is about */
  keysOf({ kind, name, resource }: Change): string[] {
    if (kind === 'Service') {
      if (resource !== undefined && isKind('Service', resource)) this.#services.set(name, resource.spec.agent);
      else this.#services.delete(name);
    }
    if (kind === 'Agent') return this.#servicesOf(name);
    return kind === 'StorageLocation' ? [] : [keyOf(kind, name)];
  }

  /** @returns after how many milliseconds to come again */
  async reconcile(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { kind, name } = parseKey(key);
    const resource = await this.#context.catalog.get(kind, name);
    if (resource === undefined) return this.#forget(kind, name);
    if (isKind('Backup', resource)) return this.#reconcileBackup(resource, signal);
    if (isKind('Restore', resource)) return this.#restores.reconcile(resource, signal);
    if (isKind('Drill', resource)) return this.#drills.reconcile(resource, signal);
    if (isKind('Service', resource)) await this.#reconcileService(resource);
    return undefined;
  }

  async #reconcileBackup(backup: Resource<'Backup'>, signal: AbortSignal): Promise<number | undefined> {
    const pause = await this.#backups.reconcile(backup, signal);
    return isCaredFor(backup) ? this.#care.reconcile(backup, signal) : pause;
  }

  async #reconcileService(service: Resource<'Service'>): Promise<void> {
    const { catalog } = this.#context;
    const status = serviceStatus(service, await catalog.get('Agent', service.spec.agent));
    if (isWorthRecording(service.status, status)) await catalog.replace({ ...service, status });
  }

  #forget(kind: ResourceKind, name: string): undefined {
    if (kind === 'Backup') this.#backups.forget({ name });
    if (kind === 'Restore') this.#restores.forget({ name });
    if (kind === 'Drill') this.#drills.forget({ name });
  }

  #servicesOf(agent: string): string[] {
    return [...this.#services].filter(([, each]) => each === agent).map(([name]) => keyOf('Service', name));
  }
}

/** May something have to be done about it? What needs nothing is most of a large catalog. Pure. */
export function needsWork(resource: Resource): boolean {
  if (isKind('Backup', resource)) return backupNeedsWork(resource);
  if (isKind('Restore', resource) || isKind('Drill', resource)) return !hasEnded(resource.status.state);
  return isKind('Service', resource);
}

function backupNeedsWork({ spec, status }: Resource<'Backup'>): boolean {
  const { state } = status;
  if (!hasEnded(state) || state === 'Deleted') return true;
  if (spec.isDeleted && state !== 'DeleteFailed') return true;
  if (state === 'Failed') return spec.retriesAsked > status.retriesTaken;
  return status.result !== undefined && spec.isPinned !== status.isPinned;
}

/** It has ended, and no further attempt is wanted. */
function isCaredFor({ spec, status }: Resource<'Backup'>): boolean {
  if (['Deleting', 'Deleted', 'DeleteFailed'].includes(status.state)) return true;
  const isEnded = status.state === 'Succeeded' || status.state === 'Failed' || status.state === 'Cancelled';
  return isEnded && (spec.isDeleted || status.state === 'Succeeded');
}

export function keyOf(kind: ResourceKind, name: string): string {
  return `${kind}/${name}`;
}

function parseKey(key: string): { readonly kind: ResourceKind; readonly name: string } {
  const [text, name = ''] = key.split('/');
  const kind = resourceKinds.find((each) => each === text);
  if (kind === undefined) throw new RangeError(`no such kind: ${text}`);
  return { kind, name };
}
