import { backupRoutes } from './backup-routes.ts';
import { inventoryRoutes } from './inventory-routes.ts';
import { peopleRoutes } from './people-routes.ts';
import { restoreRoutes } from './restore-routes.ts';

/**
 * What a manager answers under `/api/v1`. People sign in and have a cookie; programs send `Authorization: Bearer <token>`.
 * Bodies are JSON; what is not a success is an `ErrorBody`. Server, client, the OpenAPI document and the web go by this table.
 */
export const managerRoutes = { ...peopleRoutes, ...inventoryRoutes, ...backupRoutes, ...restoreRoutes } as const;
export type ManagerRouteName = keyof typeof managerRoutes;

/** `GET /api/v1/<runs>/<name>/log?from=<line>&follow=true`: text, one line each, as an agent's log. */
export const logKinds = ['backups', 'restores', 'drills'] as const;
