import { createRoute } from '@tanstack/react-router';
import { shellRoute } from '../../app/root-route.tsx';
import { onlyFor } from '../../components/only-for.tsx';
import { lazyPage } from '../../lib/lazy-page.ts';
import { parseListSearch } from '../../lib/list-search.ts';

const base = { getParentRoute: () => shellRoute };

const listRoute = createRoute({
  ...base,
  path: '/restores',
  validateSearch: parseListSearch(['state', 'backup']),
  component: lazyPage(() => import('./restore-list.tsx'), 'RestoreList'),
});
const detailsRoute = createRoute({
  ...base,
  path: '/restores/$name',
  component: lazyPage(() => import('./restore-details.tsx'), 'RestoreDetails'),
});
const formRoute = createRoute({
  ...base,
  path: '/restore/$backup',
  component: onlyFor(
    'operator',
    lazyPage(() => import('./restore-form.tsx'), 'RestoreForm'),
  ),
});

export const restoreRoutes = [listRoute, detailsRoute, formRoute] as const;
