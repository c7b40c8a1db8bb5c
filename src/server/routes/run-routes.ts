import { find } from '../../control/find.ts';
import { backupRoutes } from '../../api/backup-routes.ts';
import { restoreRoutes } from '../../api/restore-routes.ts';
import { InvalidFields } from '../invalid-fields.ts';
import { listPage, withLatest } from './listing.ts';
import { type MountRoutes, type RouteContext } from './route-context.ts';
import type { Mount } from '../server.ts';

/** Backups, restores, drills. */
export const mountRunRoutes: MountRoutes = (mount, context) => {
  mountBackups(mount, context);
  mountRestores(mount, context);
  mountDrills(mount, context);
};

function mountBackups(mount: Mount, context: RouteContext): void {
  const { catalog, control } = context;
  mount(backupRoutes.listBackups, async ({ query }) => listPage(context, 'Backup', query));
  mount(backupRoutes.getBackup, async ({ params }) => withLatest(context, await find(catalog, 'Backup', params.name)));
  mount(backupRoutes.createBackup, async ({ body }) => control.createBackup(body));
  mount(backupRoutes.preflightBackup, async ({ body, signal }) => control.preflightBackup(body, { signal }));
  mount(backupRoutes.cancelBackup, async ({ params }) => control.cancel('Backup', params.name));
  mount(backupRoutes.retryBackup, async ({ params }) => control.retryBackup(params.name));
  mount(backupRoutes.pinBackup, async ({ params }) => control.setPinned(params.name, true));
  mount(backupRoutes.unpinBackup, async ({ params }) => control.setPinned(params.name, false));
  mount(backupRoutes.previewDelete, async ({ params, signal }) => control.frees(params.name, { signal }));
  mount(backupRoutes.deleteBackup, async ({ params, query }) => {
    if (query.confirm !== params.name)
      throw new InvalidFields([{ path: 'query.confirm', message: 'must be the name of the backup' }]);
    return control.deleteBackup(params.name);
  });
  mount(backupRoutes.restoreTargets, async ({ params }) => ({
    items: [...(await control.restoreTargets(params.name))],
  }));
}

function mountRestores(mount: Mount, context: RouteContext): void {
  const { catalog, control } = context;
  mount(restoreRoutes.listRestores, async ({ query }) => listPage(context, 'Restore', query));
  mount(restoreRoutes.getRestore, async ({ params }) =>
    withLatest(context, await find(catalog, 'Restore', params.name)),
  );
  mount(restoreRoutes.planRestore, async ({ body, signal }) => control.planRestore(body, { signal }));
  mount(restoreRoutes.createRestore, async ({ body }) => control.createRestore(body));
  mount(restoreRoutes.cancelRestore, async ({ params }) => control.cancel('Restore', params.name));
}

function mountDrills(mount: Mount, context: RouteContext): void {
  const { catalog, control } = context;
  mount(restoreRoutes.listDrills, async ({ query }) => listPage(context, 'Drill', query));
  mount(restoreRoutes.getDrill, async ({ params }) => withLatest(context, await find(catalog, 'Drill', params.name)));
  mount(restoreRoutes.createDrill, async ({ body }) => control.createDrill(body));
  mount(restoreRoutes.cancelDrill, async ({ params }) => control.cancel('Drill', params.name));
}
