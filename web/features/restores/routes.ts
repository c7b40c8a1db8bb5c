import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/root-route.tsx';
import { parseListSearch } from '../../lib/list-search.ts';

const base = { getParentRoute: () => shellRoute };

const listRoute = createRoute({
  ...base,
  path: '/restores',
  validateSearch: parseListSearch(['state', 'backup']),
  component: lazyRouteComponent(() => import('./restore-list.tsx'), 'RestoreList'),
});
const detailsRoute = createRoute({
  ...base,
  path: '/restores/$name',
  component: lazyRouteComponent(() => import('./restore-details.tsx'), 'RestoreDetails'),
});
const formRoute = createRoute({
  ...base,
  path: '/restore/$backup',
  component: lazyRouteComponent(() => import('./restore-form.tsx'), 'RestoreForm'),
});

export const restoreRoutes = [listRoute, detailsRoute, formRoute] as const;
