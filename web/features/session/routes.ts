import { createRoute } from '@tanstack/react-router';
import { rootRoute, shellRoute } from '../../app/root-route.tsx';
import { lazyPage } from '../../lib/lazy-page.ts';
import { parseReturnTo } from '../../lib/return-to.ts';

export const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: parseReturnTo,
  component: lazyPage(() => import('./sign-in-page.tsx'), 'SignInPage'),
});

export const accountRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/account',
  component: lazyPage(() => import('./account-page.tsx'), 'AccountPage'),
});
