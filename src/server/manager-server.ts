import type { FastifyInstance } from 'fastify';
import { InvalidRequest } from '../lib/failure.ts';
import type { EventHub } from './event-hub.ts';
import { openApiDocument } from './open-api.ts';
import { mountEvents } from './routes/events-route.ts';
import { mountInventoryRoutes } from './routes/inventory-routes.ts';
import { mountLocationRoutes } from './routes/location-routes.ts';
import { mountLogs } from './routes/log-routes.ts';
import { mountPeopleRoutes } from './routes/people-routes.ts';
import type { RouteContext } from './routes/route-context.ts';
import { mountRunRoutes } from './routes/run-routes.ts';
import { apiPrefix, type Mount } from './server.ts';
import type { WebFiles } from './web-files.ts';

export interface ManagerRoutesOptions extends RouteContext {
  readonly hub: EventHub;
  readonly web: WebFiles;
  /** Aborted when the manager ends. */
  readonly signal: AbortSignal;
}

/** Everything that a manager answers, but for what its agents ask. */
export function mountManager(
  { server, mount }: { readonly server: FastifyInstance; readonly mount: Mount },
  options: ManagerRoutesOptions,
): void {
  for (const mountRoutes of [mountPeopleRoutes, mountInventoryRoutes, mountLocationRoutes, mountRunRoutes])
    mountRoutes(mount, options);
  mountLogs(server, options);
  mountEvents(server, options);
  const document = openApiDocument(options.version);
  server.get(`${apiPrefix}/openapi.json`, { config: { role: 'anyone' }, logLevel: 'warn' }, async () => document);
  server.setNotFoundHandler({}, async (request, reply) => {
    const mayBePage = ['GET', 'HEAD'].includes(request.method) && !/^\/api(\/|$|\?)/.test(request.url);
    if (mayBePage && (await options.web.answer(request, reply))) return reply;
    throw new InvalidRequest('no-such-route', 'Cannot answer this request as there is no such route');
  });
}
