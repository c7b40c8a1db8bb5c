import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/root-route.tsx';
import { parseListSearch } from '../../lib/list-search.ts';

const list = createRoute({
  getParentRoute: () => shellRoute,
  path: '/backups',
  validateSearch: parseListSearch(['state', 'service', 'technology', 'location', 'proof', 'pinned']),
  component: lazyRouteComponent(() => import('./backups-page.tsx'), 'BackupsPage'),
});

const create = createRoute({
  getParentRoute: () => shellRoute,
  // No name begins with a hyphen, so no backup is hidden by this.
  path: '/backups/-/new',
  component: lazyRouteComponent(() => import('./create-backup-page.tsx'), 'CreateBackupPage'),
});

const details = createRoute({
  getParentRoute: () => shellRoute,
  path: '/backups/$name',
  component: lazyRouteComponent(() => import('./backup-details-page.tsx'), 'BackupDetailsPage'),
});

export const backupRoutes = [list, create, details] as const;
