import { createRoute } from '@tanstack/react-router';
import { shellRoute } from '../../app/root-route.tsx';
import { lazyPage } from '../../lib/lazy-page.ts';
import { parseListSearch } from '../../lib/list-search.ts';

const base = { getParentRoute: () => shellRoute };

/** `start`: the backup for which the dialog to start a drill is open. */
const listRoute = createRoute({
  ...base,
  path: '/drills',
  validateSearch: parseListSearch(['state', 'backup', 'start']),
  component: lazyPage(() => import('./drill-list.tsx'), 'DrillList'),
});
const detailsRoute = createRoute({
  ...base,
  path: '/drills/$name',
  component: lazyPage(() => import('./drill-details.tsx'), 'DrillDetails'),
});

export const drillRoutes = [listRoute, detailsRoute] as const;
