import { Readable } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import * as z from 'zod';
import { firstLineHeader, logQuerySchema, type Route } from '../api/agent.ts';
import { jobIdSchemas, jobKinds } from '../api/jobs.ts';
import { type Failure, InvalidRequest } from '../lib/failure.ts';
import { answerFor } from '../server/error-answer.ts';
import { parseInput } from '../server/invalid-fields.ts';
import { Busy } from './admit.ts';
import type { Authenticator } from './authenticate.ts';
import type { Identity } from './identity.ts';
import type { JobLog } from './job-log.ts';
import type { Jobs } from './jobs.ts';
import type { Metrics } from './metrics.ts';

export interface ServerOptions {
  readonly identity: Identity;
  readonly authenticator: Authenticator;
  readonly jobs: Jobs;
  readonly metrics: Metrics;
  /** Aborted when the agent ends. */
  readonly signal: AbortSignal;
  readonly logLevel: string;
  /** For the head of a request, and then for all of it. Default 10,000. */
  readonly requestLimitMs?: number;
}

/** What is asked of a route, checked. */
export interface Asked<Called extends Route> {
  readonly params: z.output<Called['params']>;
  readonly body: z.output<Called['body']>;
  /** Aborted when the client goes away, or the agent ends. */
  readonly signal: AbortSignal;
}

export type Handler<Called extends Route> = (asked: Asked<Called>) => Promise<z.output<Called['response']>>;

/** Adds a route of the table to a server. */
export type Mount = <Called extends Route>(route: Called, handler: Handler<Called>) => void;

const bodyLimit = 256 * 1024;
const defaultRequestLimitMs = 10_000;
const followIdleMs = 15_000;

/** An HTTPS server with everything around the routes of the table: who may ask, limits, errors, logs, metrics. */
export function createServer(options: ServerOptions, mountRoutes: (mount: Mount) => void): FastifyInstance {
  const server = newFastify(options);
  server.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.isPublic === true) return;
    try {
      options.authenticator.check(request.headers.authorization, request.ip);
    } catch (error) {
      options.metrics.onRefused();
      throw error;
    }
  });
  server.setErrorHandler((error, request, reply) => {
    const { status, body, headers } = answerFor(error, detailsOf);
    if (status >= 500) request.log.error({ code: body.error.code }, body.error.message);
    return reply.status(status).headers(headers).send(body);
  });
  server.setNotFoundHandler(() => {
    throw new InvalidRequest('no-such-route', 'Cannot answer this request as there is no such route');
  });
  mountRoutes((route, handler) => mount(server, { route, handler, signal: options.signal }));
  for (const kind of jobKinds) mountLog(server, kind, options);
  mountHealth(server, options);
  return server;
}

function detailsOf(error: Failure): unknown {
  return error instanceof Busy ? error.running : undefined;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Needs no token. */
    isPublic?: boolean;
  }
}

function newFastify({ identity, logLevel, requestLimitMs = defaultRequestLimitMs }: ServerOptions): FastifyInstance {
  const server = fastify({
    https: {
      cert: identity.certificate,
      key: identity.key,
      minVersion: 'TLSv1.2',
      handshakeTimeout: requestLimitMs,
      headersTimeout: requestLimitMs,
      requestTimeout: requestLimitMs,
      // How late the limits above may be noticed.
      connectionsCheckingInterval: Math.min(2_000, requestLimitMs),
      maxHeaderSize: 16 * 1024,
    },
    requestTimeout: requestLimitMs,
    bodyLimit,
    // A follower of a log would keep the server from closing.
    forceCloseConnections: true,
    logger: { level: logLevel, stream: process.stderr },
    routerOptions: { maxParamLength: 200 },
  });
  server.server.maxConnections = 200;
  return server;
}

interface Mounted<Called extends Route> {
  readonly route: Called;
  readonly handler: Handler<Called>;
  readonly signal: AbortSignal;
}

function mount<Called extends Route>(server: FastifyInstance, { route, handler, signal }: Mounted<Called>): void {
  server.route({
    method: route.method,
    url: route.path,
    // Whoever watches a job asks every second; what changes something is logged.
    ...(route.method === 'GET' ? { logLevel: 'warn' } : {}),
    handler: async (request, reply) => {
      const { params: paramsSchema, body: bodySchema }: Pick<Called, 'params' | 'body'> = route;
      const params = parseInput(paramsSchema, request.params, 'path');
      const body = parseInput(bodySchema, request.body ?? undefined, 'body');
      const answer = await handler({ params, body, signal: AbortSignal.any([signal, whileThere(reply)]) });
      return reply.status(route.status).send(answer);
    },
  });
}

function mountLog(server: FastifyInstance, kind: keyof typeof jobIdSchemas, { jobs, signal }: ServerOptions): void {
  const paramsSchema = z.object({ id: jobIdSchemas[kind] });
  server.get(`/v1/${kind}s/:id/log`, { logLevel: 'warn' }, async (request, reply) => {
    const { id } = parseInput(paramsSchema, request.params, 'path');
    const { from, follow } = parseInput(logQuerySchema, request.query, 'query');
    const log = await jobs.log(kind, id);
    const idleMs = follow === 'true' ? followIdleMs : 0;
    const lines = log.read({ from, idleMs, signal: AbortSignal.any([signal, whileThere(reply)]) });
    return sendLog(reply, { log, from, lines });
  });
}

function sendLog(
  reply: FastifyReply,
  { log, from, lines }: { log: JobLog; from: number; lines: AsyncGenerator<Buffer> },
): FastifyReply {
  const stream = Readable.from(lines, { objectMode: false });
  // The client went away, or the agent ends: nobody is left to be told.
  stream.on('error', () => undefined);
  return reply
    .header('content-type', 'text/plain; charset=utf-8')
    .header(firstLineHeader, String(log.firstFrom(from)))
    .send(stream);
}

function mountHealth(server: FastifyInstance, { metrics }: ServerOptions): void {
  server.get('/healthz', { config: { isPublic: true }, logLevel: 'warn' }, async () => ({ status: 'ok' }));
  server.get('/metrics', { logLevel: 'warn' }, async (_, reply) => {
    const text = await metrics.text();
    return reply.header('content-type', metrics.contentType).send(text);
  });
}

/** Aborted when the answer is complete, or nobody waits for it any more. */
function whileThere(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}
