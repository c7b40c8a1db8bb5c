import type { Resource } from '../../src/api/resources.ts';
import type { Control, ControlOptions } from '../../src/control/control.ts';
import { change, find } from '../../src/control/find.ts';
import { ProgressHub } from '../../src/control/progress-hub.ts';
import { Conflict, InvalidRequest } from '../../src/lib/failure.ts';

/** A control that writes wishes into the catalog and makes none of them true: for tests of what is around it. */
export async function startStandInControl({ catalog }: ControlOptions): Promise<Control> {
  const run = { state: 'Pending', attempt: 0 } as const;
  const ok = { isGo: true, findings: [{ level: 'ok', code: 'works', message: 'It works' }] } as const;
  const preflight = async () => ({ isGo: ok.isGo, findings: [...ok.findings] });
  const progress = new ProgressHub();
  const control: Control = {
    progress,
    createBackup: async ({ name, ...wish }) => {
      await find(catalog, 'Service', wish.service);
      await find(catalog, 'StorageLocation', wish.location);
      const wanted = { isCancelled: false, retriesAsked: 0, isPinned: false, isDeleted: false };
      const status = {
        ...run,
        attempts: [],
        waitingFor: [],
        retriesTaken: 0,
        isPinned: false,
        id: '20261121T014327Z-9f3a21bc',
      };
      return catalog.create('Backup', name, { spec: { ...wish, ...wanted }, status });
    },
    createRestore: async ({ name = 'restore', ...wish }) => {
      await find(catalog, 'Backup', wish.backup);
      const status = { ...run, attempts: [], waitingFor: [] };
      return catalog.create('Restore', name, { spec: { ...wish, isCancelled: false }, status });
    },
    createDrill: async ({ name = 'drill', agent = 'any', ...wish }) => {
      await find(catalog, 'Backup', wish.backup);
      const status = { ...run, attempts: [], waitingFor: [] };
      return catalog.create('Drill', name, { spec: { ...wish, agent, isCancelled: false }, status });
    },
    cancel: async (kind, name) =>
      change(catalog, { kind, name }, ({ spec, status }) => ({ spec: { ...spec, isCancelled: true }, status })),
    retryBackup: async (name) => {
      const backup = await find(catalog, 'Backup', name);
      throw new Conflict('not-failed', `Cannot try ${backup.name} once more as it has not failed`);
    },
    setPinned: async (name, isPinned) => changeBackup(name, { isPinned }),
    deleteBackup: async (name) => changeBackup(name, { isDeleted: true }),
    preflightBackup: async ({ service, location }) => {
      await find(catalog, 'Service', service);
      await find(catalog, 'StorageLocation', location);
      return { ...(await preflight()), sharedWith: [] };
    },
    testService: preflight,
    testLocation: preflight,
    refuseWrongKey: async () => undefined,
    testStoredLocation: async (name) => find(catalog, 'StorageLocation', name),
    frees: async (name) => {
      await find(catalog, 'Backup', name);
      return { freedBytes: 0, keptBytes: 0, usedBy: [], afterHours: 24 };
    },
    restoreTargets: async (name) => {
      await find(catalog, 'Backup', name);
      return [];
    },
    planRestore: async ({ backup }) => {
      await find(catalog, 'Backup', backup);
      return { isGo: true, findings: [], steps: [], logicalBytes: 0, serverVersion: '10.11.19' };
    },
    followLog: (_kind, name) => {
      throw new InvalidRequest('no-log', `Cannot show the log of ${name} as none was kept`);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  async function changeBackup(name: string, wish: Partial<Resource<'Backup'>['spec']>): Promise<Resource<'Backup'>> {
    return change(catalog, { kind: 'Backup', name }, ({ spec, status }) => ({ spec: { ...spec, ...wish }, status }));
  }
  return control;
}
