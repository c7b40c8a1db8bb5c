import { createRoute } from '@tanstack/react-router';
import { shellRoute } from '../../app/root-route.tsx';
import { onlyFor } from '../../components/only-for.tsx';
import { lazyPage } from '../../lib/lazy-page.ts';
import { parseListSearch } from '../../lib/list-search.ts';
import { parseReturnTo } from '../../lib/return-to.ts';

const base = { getParentRoute: () => shellRoute };

const listRoute = createRoute({
  ...base,
  path: '/locations',
  validateSearch: parseListSearch(['state']),
  component: lazyPage(() => import('./location-list.tsx'), 'LocationList'),
});
/** No name begins with a hyphen, so that no location hides the form. */
const newRoute = createRoute({
  ...base,
  path: '/locations/-/new',
  validateSearch: parseReturnTo,
  component: onlyFor(
    'admin',
    lazyPage(() => import('./location-new.tsx'), 'LocationNew'),
  ),
});
const detailsRoute = createRoute({
  ...base,
  path: '/locations/$name',
  component: lazyPage(() => import('./location-details.tsx'), 'LocationDetails'),
});
const editRoute = createRoute({
  ...base,
  path: '/locations/$name/edit',
  component: onlyFor(
    'admin',
    lazyPage(() => import('./location-edit.tsx'), 'LocationEdit'),
  ),
});

export const locationRoutes = [listRoute, newRoute, detailsRoute, editRoute] as const;
