import { createRoute } from '@tanstack/react-router';
import { shellRoute } from '../../app/root-route.tsx';
import { onlyFor } from '../../components/only-for.tsx';
import { lazyPage } from '../../lib/lazy-page.ts';
import { parseListSearch } from '../../lib/list-search.ts';
import type { BackupSearch } from './backup-filters.tsx';
import { parseChosen } from './chosen.ts';

const parseFilters = parseListSearch(['state', 'service', 'technology', 'location', 'proof']);
const base = { getParentRoute: () => shellRoute };

const listRoute = createRoute({
  ...base,
  path: '/backups',
  validateSearch: (search: Record<string, unknown>): BackupSearch => ({
    ...parseFilters(search),
    ...(String(search['pinned']) === 'true' ? { pinned: 'true' as const } : {}),
  }),
  component: lazyPage(() => import('./backup-list.tsx'), 'BackupList'),
});
/** No name begins with a hyphen, so that no backup hides it. */
const newRoute = createRoute({
  ...base,
  path: '/backups/-/new',
  validateSearch: parseChosen,
  component: onlyFor(
    'operator',
    lazyPage(() => import('./backup-new.tsx'), 'BackupNew'),
  ),
});
const detailsRoute = createRoute({
  ...base,
  path: '/backups/$name',
  component: lazyPage(() => import('./backup-details.tsx'), 'BackupDetails'),
});

export const backupRoutes = [listRoute, newRoute, detailsRoute] as const;
