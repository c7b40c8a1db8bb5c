import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Failure } from '../../lib/failure.ts';
import type { EventHub } from '../event-hub.ts';
import type { People } from '../people/people.ts';
import { apiPrefix, whileThere } from '../server.ts';

export interface EventsOptions {
  readonly hub: EventHub;
  readonly people: People;
  readonly signal: AbortSignal;
}

const maximumSubscribers = 500;
/** How soon a browser whose connection was lost comes back. */
const retryMs = 2_000;

/** `GET /api/v1/events`, see `src/api/events.ts`. */
export function mountEvents(server: FastifyInstance, options: EventsOptions): void {
  server.get(`${apiPrefix}/events`, { config: { role: 'viewer' }, logLevel: 'warn' }, async (request, reply) => {
    if (options.hub.size >= maximumSubscribers)
      throw new Failure(
        'too-many-listeners',
        `Cannot tell of events as too many listen already: ${maximumSubscribers}`,
      );
    const signal = AbortSignal.any([options.signal, whileThere(reply)]);
    const onStalled = (): void => void stream.destroy();
    const texts = eventTexts(request, { ...options, signal, onStalled });
    const stream: Readable = Readable.from(texts, { objectMode: false, highWaterMark: 1 });
    // The browser went away, or the manager ends: nobody is left to be told.
    stream.on('error', () => undefined);
    return reply.header('content-type', 'text/event-stream').header('x-accel-buffering', 'no').send(stream);
  });
}

async function* eventTexts(
  request: FastifyRequest,
  { hub, people, ...options }: EventsOptions & { readonly onStalled: () => void },
) {
  const isBack = request.headers['last-event-id'] !== undefined;
  // What happened while it was away, it must read.
  const missed = isBack ? textOf({ type: 'resync' }) : '';
  // Said once it is heard: what a browser reads after this answer began is told of when it changes.
  let greeting = `retry: ${retryMs}\nid: 0\n: the manager is here\n\n${missed}`;
  for await (const events of hub.subscribe(options)) {
    if (request.person === undefined || !people.isStillThere(request.person)) return;
    yield `${greeting}${events.length === 0 ? ': still here\n\n' : events.map(textOf).join('')}`;
    greeting = '';
  }
}

function textOf(event: unknown): string {
  return `id: 0\ndata: ${JSON.stringify(event)}\n\n`;
}
