import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import {
  type EnrolAnswer,
  type EnrolRequest,
  enrolPath,
  enrolRequestSchema,
  tunnelPath,
  tunnelProtocol,
} from '../../api/enrol.ts';
import { Conflict, InvalidRequest } from '../../lib/failure.ts';
import { answerFor } from '../../server/error-answer.ts';
import { parseInput } from '../../server/invalid-fields.ts';
import { type HeartbeatsOptions, mountHeartbeats } from './heartbeats.ts';
import type { Tunnels } from './tunnels.ts';

export interface AgentRoutesOptions extends HeartbeatsOptions {
  readonly tunnels: Tunnels;
  readonly enrol: (request: EnrolRequest) => Promise<EnrolAnswer>;
}

/** A peer that is gone without a word is found by the kernel: after this silence it asks, and soon gives up. */
const keepAliveMs = 15_000;

/** What agents ask of a manager. Each request shows who sends it, by a join token or the agent's own credential. */
export function mountAgentRoutes(server: FastifyInstance, options: AgentRoutesOptions): void {
  const { tunnels } = options;
  server.post(enrolPath, { config: { role: 'anyone' } }, async (request) =>
    options.enrol(parseInput(enrolRequestSchema, request.body, 'body')),
  );
  mountHeartbeats(server, options);
  // They are no requests any more, so the server would wait for their end.
  server.addHook('preClose', async () => tunnels[Symbol.dispose]());
  server.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    void upgrade({ request, socket, head }, options).catch((error: unknown) => refuse(socket, error));
  });
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

async function upgrade({ request, socket, head }: Upgrade, options: AgentRoutesOptions): Promise<void> {
  if (request.url !== tunnelPath || request.headers.upgrade?.toLowerCase() !== tunnelProtocol)
    throw new InvalidRequest('no-such-route', 'Cannot answer this request as there is no such route');
  const { credentials, tunnels, book } = options;
  const name = await credentials.check(request.headers.authorization, request.socket.remoteAddress ?? '');
  if (book.connectionOf(name)?.type !== 'dials') throw notDialling(name);
  if (socket.destroyed) return;
  prepare(socket, head);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${tunnelProtocol}\r\n\r\n`);
  if (!tunnels.accept(name, socket)) socket.destroy();
}

function prepare(socket: Duplex, head: Buffer): void {
  if (socket instanceof Socket) socket.setKeepAlive(true, keepAliveMs).setNoDelay(true).setTimeout(0);
  if (head.length > 0) socket.unshift(head);
}

function refuse(socket: Duplex, error: unknown): void {
  const { status, body } = answerFor(error);
  const text = JSON.stringify(body);
  const lines = [
    `HTTP/1.1 ${status} Refused`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}

function notDialling(name: string): Conflict {
  return new Conflict('agent-listens', `Cannot take a connection of agent ${name} as it joined as one that listens`, {
    nextStep: 'Let it join again with --dial-out.',
  });
}
