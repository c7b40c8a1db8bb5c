import { lazyRouteComponent } from '@tanstack/react-router';
import { call } from './api.ts';

/**
 * A page whose code is loaded when someone goes there. When it cannot be: an ApiError where the manager does not answer,
 * which the page shows in its place; else the manager has become a newer one, and the router loads everything anew.
 */
export const lazyPage: typeof lazyRouteComponent = (load, name) =>
  lazyRouteComponent(async () => {
    try {
      return await load();
    } catch (cause) {
      await call('getManager', {});
      throw cause;
    }
  }, name);
