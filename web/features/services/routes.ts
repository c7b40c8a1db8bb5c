import { createRoute } from '@tanstack/react-router';
import { shellRoute } from '../../app/root-route.tsx';
import { onlyFor } from '../../components/only-for.tsx';
import { lazyPage } from '../../lib/lazy-page.ts';
import { parseListSearch } from '../../lib/list-search.ts';
import { parseReturnTo, type ReturnTo } from '../../lib/return-to.ts';

const base = { getParentRoute: () => shellRoute };

const listRoute = createRoute({
  ...base,
  path: '/services',
  validateSearch: parseListSearch(['state']),
  component: lazyPage(() => import('./service-list.tsx'), 'ServiceList'),
});
/** `agent`: the one that is chosen when the form opens. No name begins with a hyphen, so that no service hides it. */
const newRoute = createRoute({
  ...base,
  path: '/services/-/new',
  validateSearch: (search: Record<string, unknown>): ReturnTo & { agent?: string } => ({
    ...parseReturnTo(search),
    ...(typeof search['agent'] === 'string' ? { agent: search['agent'] } : {}),
  }),
  component: onlyFor(
    'admin',
    lazyPage(() => import('./service-new.tsx'), 'ServiceNew'),
  ),
});
const detailsRoute = createRoute({
  ...base,
  path: '/services/$name',
  component: lazyPage(() => import('./service-details.tsx'), 'ServiceDetails'),
});
const editRoute = createRoute({
  ...base,
  path: '/services/$name/edit',
  component: onlyFor(
    'admin',
    lazyPage(() => import('./service-edit.tsx'), 'ServiceEdit'),
  ),
});

export const serviceRoutes = [listRoute, newRoute, detailsRoute, editRoute] as const;
