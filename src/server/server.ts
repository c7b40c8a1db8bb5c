import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import type { ManagerRoute, Role } from '../api/route-kit.ts';
import { type Failure, PermanentFailure } from '../lib/failure.ts';
import { answerFor } from './error-answer.ts';
import { type ListenerOptions, newFastify } from './http-listener.ts';
import { parseInput } from './invalid-fields.ts';
import { LocationTestFailed } from './location-test-failed.ts';
import { notAuthorised, type People } from './people/people.ts';
import { mayAct, type Person } from './people/person.ts';
import { type OriginRules, refuseOtherSites } from './same-origin.ts';
import { securityHeaders } from './security-headers.ts';
import { type SessionCookie, sessionCookie } from './session-cookie.ts';

export interface ServerOptions extends ListenerOptions {
  readonly people: People;
  readonly origins: OriginRules;
  /** Aborted when the manager ends. */
  readonly signal: AbortSignal;
}

/** What is asked of a route, checked. */
export interface Asked<Called extends ManagerRoute> {
  readonly params: z.output<Called['params']>;
  readonly query: z.output<Called['query']>;
  readonly body: z.output<Called['body']>;
  /** @throws PermanentFailure `not-authorised` where the route is for anyone and nobody is signed in */
  readonly person: () => Person;
  readonly address: string;
  /** Gives the browser the secret of a session, or takes it away. */
  readonly setSession: (secret: string | undefined) => void;
  /** Aborted when the client goes away, or the manager ends. */
  readonly signal: AbortSignal;
}

export type Handler<Called extends ManagerRoute> = (asked: Asked<Called>) => Promise<Answered<Called>>;
type Answered<Called extends ManagerRoute> =
  undefined extends z.output<Called['response']> ? void : z.output<Called['response']>;

/** Adds a route of the table to a server. */
export type Mount = <Called extends ManagerRoute>(route: Called, handler: Handler<Called>) => void;

export const apiPrefix = '/api/v1';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may ask; an admin where it is not said. `anyone`: the route itself decides. */
    role?: Role | 'anyone';
  }
  interface FastifyRequest {
    person: Person | undefined;
  }
}

/** An HTTP server with everything around the routes: who may ask, from where, limits, errors, headers. */
export function createServer(options: ServerOptions): { readonly server: FastifyInstance; readonly mount: Mount } {
  const server = newFastify(options);
  const isSecure = options.tls !== undefined || options.origins.publicUrl?.startsWith('https:') === true;
  const cookie = sessionCookie({ isSecure });
  server.decorateRequest('person', undefined);
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders);
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
    refuseOtherSites(provenanceOf(request), options.origins);
    request.person = admit(request, { people: options.people, cookie });
  });
  server.setErrorHandler((error, request, reply) => {
    const { status, body, headers } = answerFor(error, detailsOf);
    // Whoever went away while it was answered is no trouble.
    if (status >= 500 && !reply.raw.destroyed)
      request.log.error({ err: error, code: body.error.code }, body.error.message);
    return reply.status(status).headers(headers).send(body);
  });
  server.get('/healthz', { config: { role: 'anyone' }, logLevel: 'warn' }, async () => ({ status: 'ok' }));
  const mount: Mount = (route, handler) => mountRoute(server, { route, handler, cookie, signal: options.signal });
  return { server, mount };
}

function detailsOf(error: Failure): unknown {
  return error instanceof LocationTestFailed ? { findings: error.findings } : undefined;
}

interface Mounted<Called extends ManagerRoute> {
  readonly route: Called;
  readonly handler: Handler<Called>;
  readonly cookie: SessionCookie;
  readonly signal: AbortSignal;
}

function mountRoute<Called extends ManagerRoute>(server: FastifyInstance, mounted: Mounted<Called>): void {
  const { route, handler, cookie, signal } = mounted;
  const schemas: Pick<Called, 'params' | 'query' | 'body' | 'response'> = route;
  server.route({
    method: route.method,
    url: `${apiPrefix}${route.path}`,
    config: { role: route.role },
    // People look often; what changes something is logged.
    ...(route.method === 'GET' ? { logLevel: 'warn' } : {}),
    handler: async (request, reply) => {
      const answer = await handler({
        params: parseInput(schemas.params, request.params, 'path'),
        query: parseInput(schemas.query, request.query, 'query'),
        body: parseInput(schemas.body, request.body ?? undefined, 'body'),
        person: () => request.person ?? refuseNobody(),
        address: request.ip,
        setSession: (secret) => void reply.header('set-cookie', cookie.write(secret)),
        signal: AbortSignal.any([signal, whileThere(reply)]),
      });
      // What is in no schema does not get out.
      return reply.status(route.status).send(schemas.response.parse(answer));
    },
  });
}

function provenanceOf({ method, headers }: FastifyRequest) {
  const fetchSite = headers['sec-fetch-site'];
  return {
    method,
    host: headers.host,
    origin: headers.origin,
    fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined,
  };
}

/** @throws PermanentFailure `not-authorised`, `not-allowed`; TooManyFailures */
function admit(
  request: FastifyRequest,
  { people, cookie }: { readonly people: People; readonly cookie: SessionCookie },
): Person | undefined {
  // What is no route tells nothing: an error, or the pages of the web.
  const role = request.is404 ? 'anyone' : (request.routeOptions.config.role ?? 'admin');
  if (role === 'anyone') return undefined;
  const { authorization, cookie: cookies } = request.headers;
  const person = people.personOf({ authorization, session: cookie.read(cookies), address: request.ip });
  if (person === undefined) return refuseNobody();
  if (mayAct(person.role, role)) return person;
  throw new PermanentFailure('not-allowed', `Cannot do this as it takes the role ${role}: yours is ${person.role}`, {
    nextStep: `Ask someone who is ${role} to do it.`,
  });
}

function refuseNobody(): never {
  throw notAuthorised('nobody is signed in');
}

/** Aborted when the answer is complete, or nobody waits for it any more. */
export function whileThere(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}
