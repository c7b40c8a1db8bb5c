import type { QueryClient } from '@tanstack/react-query';
import { createRoute, createRouter, redirect } from '@tanstack/react-router';
import { agentRoutes } from '../features/agents/routes.ts';
import { backupRoutes } from '../features/backups/routes.ts';
import { drillRoutes } from '../features/drills/routes.ts';
import { locationRoutes } from '../features/locations/routes.ts';
import { restoreRoutes } from '../features/restores/routes.ts';
import { serviceRoutes } from '../features/services/routes.ts';
import { accountRoute, signInRoute } from '../features/session/routes.ts';
import { NotFound, PageError } from './fallbacks.tsx';
import { rootRoute, shellRoute } from './root-route.tsx';

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/backups' });
  },
});

const tree = rootRoute.addChildren([
  homeRoute,
  signInRoute,
  shellRoute.addChildren([
    ...backupRoutes,
    ...restoreRoutes,
    ...drillRoutes,
    ...serviceRoutes,
    ...locationRoutes,
    ...agentRoutes,
    accountRoute,
  ]),
]);

export function createAppRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    defaultNotFoundComponent: NotFound,
    defaultErrorComponent: PageError,
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
