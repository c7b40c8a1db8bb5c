import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, redirect } from '@tanstack/react-router';
import { ApiError, asking } from '../lib/api.ts';
import { FrameError } from './fallbacks.tsx';
import { Shell } from './shell.tsx';

export const rootRoute = createRootRouteWithContext<{ queries: QueryClient }>()();

/** All pages but that for signing in: inside the shell, and only for who is signed in. */
export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  component: Shell,
  errorComponent: FrameError,
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queries.ensureQueryData(asking('getSession', {}));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        throw redirect({ to: '/sign-in', search: { returnTo: location.href } });
      }
      throw error;
    }
  },
});
