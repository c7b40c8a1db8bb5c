import { createServer as createPlain, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { Duplex } from 'node:stream';
import fastify, { type FastifyInstance } from 'fastify';
import { answerFor } from './error-answer.ts';
import { securityHeaders } from './security-headers.ts';
import type { Certificate } from './self-signed.ts';

export interface ListenerOptions {
  /** Undefined: plain HTTP, for this host alone. */
  readonly tls: Certificate | undefined;
  /** Addresses of proxies whose word on where a request came from counts. */
  readonly trustedProxies: readonly string[];
  readonly logLevel: string;
  /** For the head of a request, and then for all of it. Default 10,000. */
  readonly requestLimitMs?: number;
}

const bodyLimit = 1024 * 1024;
const defaultRequestLimitMs = 10_000;
const maximumHeaderBytes = 16 * 1024;
/** Each agent that dials out keeps a few connections open. */
const maximumConnections = 10_000;

/** A server with limits on everything a client could send, slowly or too much of; it takes JSON only. */
export function newFastify(options: ListenerOptions): FastifyInstance {
  const { tls, trustedProxies, logLevel, requestLimitMs = defaultRequestLimitMs } = options;
  const server = fastify({
    serverFactory: (handler) => listener(handler, { tls, requestLimitMs }),
    bodyLimit,
    // A follower of a log or of events would keep the server from closing.
    forceCloseConnections: true,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    logger: { level: logLevel, stream: process.stderr },
    routerOptions: { maxParamLength: 300 },
    exposeHeadRoutes: false,
    // Before any route is known: an address that cannot be decoded.
    frameworkErrors: (error, _, { raw }) => {
      const { status, body } = answerFor(error);
      raw.writeHead(status, { 'content-type': 'application/json', ...securityHeaders }).end(JSON.stringify(body));
    },
    clientErrorHandler: (error, socket) => answerBroken(error, socket),
  });
  server.removeAllContentTypeParsers();
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Clients that always name the type of their body, also where they send none.
    if (body === '') done(null, undefined);
    else void parseJson(request, String(body), done);
  });
  return server;
}

interface ListenerLimits {
  readonly tls: Certificate | undefined;
  readonly requestLimitMs: number;
}

function listener(handler: RequestListener, { tls, requestLimitMs }: ListenerLimits): Server {
  const limits: ServerOptions = {
    headersTimeout: requestLimitMs,
    requestTimeout: requestLimitMs,
    // How late the limits above may be noticed.
    connectionsCheckingInterval: Math.min(2_000, requestLimitMs),
    keepAliveTimeout: 75_000,
    maxHeaderSize: maximumHeaderBytes,
  };
  const server =
    tls === undefined
      ? createPlain(limits, handler)
      : createTls(
          { ...limits, cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2', handshakeTimeout: requestLimitMs },
          handler,
        );
  server.maxConnections = maximumConnections;
  return server;
}

const brokenStatus: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/** What is no HTTP request, too large a head, or too slow. */
function answerBroken(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = brokenStatus[error.code ?? ''] ?? '400 Bad Request';
  const message = `Cannot answer this request: ${status.slice(4)}`;
  const body = JSON.stringify({ error: { code: 'invalid-request', message } });
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}
