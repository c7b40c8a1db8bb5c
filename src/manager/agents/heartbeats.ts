import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { heartbeatPath, heartbeatSchema } from '../../api/enrol.ts';
import { Failure, InvalidRequest } from '../../lib/failure.ts';
import { answerFor } from '../../server/error-answer.ts';
import { parseInput } from '../../server/invalid-fields.ts';
import type { AgentBook } from './agent-book.ts';
import type { AgentCredentials } from './credentials.ts';

export interface HeartbeatsOptions {
  readonly credentials: AgentCredentials;
  readonly book: AgentBook;
  /** Of this program. */
  readonly version: string;
}

/** Those that bring a report are longer, and rare. */
const shortBytes = 2_000;

/**
 * Takes heartbeats: a thousand agents send 25 each second, and they are nearly all that an idle manager does. So a short one of
 * an agent that is known is answered before the server's usual way with a request, which costs as much again; any other takes it.
 */
export function mountHeartbeats(server: FastifyInstance, options: HeartbeatsOptions): void {
  const { credentials } = options;
  server.post(heartbeatPath, { config: { role: 'anyone' }, logLevel: 'warn' }, async (request) =>
    hear(await credentials.check(request.headers.authorization, request.ip), request.body, options),
  );
  const listeners = server.server.listeners('request');
  server.server.removeAllListeners('request');
  server.server.on('request', (request, response) => {
    const name = isShort(request) ? credentials.known(request.headers.authorization) : undefined;
    if (name !== undefined) return takeShort({ request, response, name }, options);
    for (const listener of listeners) Reflect.apply(listener, server.server, [request, response]);
  });
}

function isShort({ method, url, headers }: IncomingMessage): boolean {
  if (url !== heartbeatPath || method !== 'POST') return false;
  return headers['content-type'] === 'application/json' && Number(headers['content-length'] ?? Infinity) <= shortBytes;
}

interface Short {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly name: string;
}

function takeShort({ request, response, name }: Short, options: HeartbeatsOptions): void {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (part: string) => (text += part));
  request.on('end', () => {
    const { status, body, headers } = answer(() => hear(name, parse(text), options));
    const json = JSON.stringify(body);
    response.writeHead(status, {
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(json),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(json);
  });
}

function answer(work: () => unknown): { status: number; body: unknown; headers: Readonly<Record<string, string>> } {
  try {
    return { status: 200, body: work(), headers: {} };
  } catch (error) {
    return answerFor(error);
  }
}

/** @throws InvalidRequest `invalid-request` */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidRequest('invalid-request', 'Cannot read this heartbeat as it is not JSON', { cause });
  }
}

/** @throws PermanentFailure `agent-version-unfit`; Failure `agent-not-listed`; InvalidFields */
function hear(name: string, body: unknown, { book, version }: HeartbeatsOptions) {
  const heard = book.heard(name, parseInput(heartbeatSchema, body, 'body'));
  if (heard === undefined) throw beingRemoved(name);
  const unfit = book.factsOf(name)?.unfit;
  if (unfit !== undefined) throw unfit;
  return { ...heard, version };
}

function beingRemoved(name: string): Failure {
  return new Failure('agent-not-listed', `Cannot note that agent ${name} lives as it is just being added or removed`, {
    nextStep: 'It tries again by itself.',
  });
}
