import { createRoute } from '@tanstack/react-router';
import { shellRoute } from '../../app/root-route.tsx';
import { onlyFor } from '../../components/only-for.tsx';
import { lazyPage } from '../../lib/lazy-page.ts';
import { parseListSearch } from '../../lib/list-search.ts';
import { parseReturnTo, type ReturnTo } from '../../lib/return-to.ts';

const base = { getParentRoute: () => shellRoute };

const listRoute = createRoute({
  ...base,
  path: '/agents',
  validateSearch: parseListSearch(['state']),
  component: lazyPage(() => import('./agent-list.tsx'), 'AgentList'),
});
/** `replaces`: an agent that shall join again. No name begins with a hyphen, so that no agent hides the form. */
const newRoute = createRoute({
  ...base,
  path: '/agents/-/new',
  validateSearch: (search: Record<string, unknown>): ReturnTo & { replaces?: string } => ({
    ...parseReturnTo(search),
    ...(typeof search['replaces'] === 'string' ? { replaces: search['replaces'] } : {}),
  }),
  component: onlyFor(
    'admin',
    lazyPage(() => import('./agent-new.tsx'), 'AgentNew'),
  ),
});
const detailsRoute = createRoute({
  ...base,
  path: '/agents/$name',
  component: lazyPage(() => import('./agent-details.tsx'), 'AgentDetails'),
});

export const agentRoutes = [listRoute, newRoute, detailsRoute] as const;
