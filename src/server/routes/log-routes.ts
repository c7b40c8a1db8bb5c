import { find } from '../../control/find.ts';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { firstLineHeader, logQuerySchema } from '../../api/agent.ts';
import type { LogLine } from '../../api/follow-log.ts';
import { logKinds } from '../../api/manager.ts';
import { resourceNameSchema } from '../../api/resource-fields.ts';
import type { RunKind } from '../../api/resources.ts';
import type { Clock } from '../../lib/clock.ts';
import { parseInput } from '../invalid-fields.ts';
import { apiPrefix, whileThere } from '../server.ts';
import type { RouteContext } from './route-context.ts';

const kinds: Readonly<Record<(typeof logKinds)[number], RunKind>> = {
  backups: 'Backup',
  restores: 'Restore',
  drills: 'Drill',
};
const paramsSchema = z.object({ name: resourceNameSchema });
/** An answer ends when nothing was said for so long; whoever follows asks again. */
const idleMs = 15_000;

/** `GET /api/v1/<runs>/<name>/log?from=<line>&follow=true`: as an agent answers it. */
export function mountLogs(
  server: FastifyInstance,
  { catalog, control, clock, signal }: Pick<RouteContext, 'catalog' | 'control' | 'clock'> & { signal: AbortSignal },
): void {
  for (const path of logKinds) {
    const config = { role: 'viewer' } as const;
    server.get(`${apiPrefix}/${path}/:name/log`, { config, logLevel: 'warn' }, async (request, reply) => {
      const { name } = parseInput(paramsSchema, request.params, 'path');
      const { from, follow } = parseInput(logQuerySchema, request.query, 'query');
      await find(catalog, kinds[path], name);
      const idle = new AbortController();
      const reading = AbortSignal.any([signal, whileThere(reply), idle.signal]);
      const all = control.followLog(kinds[path], name, { from, follow: follow === 'true', signal: reading });
      const lines = withinIdle(all, { idle, clock })[Symbol.asyncIterator]();
      // Its number stands in the head of the answer, as older lines may be gone.
      const first = await lines.next();
      const firstNumber = first.done === true ? from : first.value.number;
      const stream = Readable.from(textsOf(first, lines), { objectMode: false });
      // The client went away, or the manager ends: nobody is left to be told.
      stream.on('error', () => undefined);
      return reply
        .header('content-type', 'text/plain; charset=utf-8')
        .header(firstLineHeader, String(firstNumber))
        .send(stream);
    });
  }
}

/** Ends, instead of failing, when nothing came for a while. */
async function* withinIdle(
  lines: AsyncIterable<LogLine>,
  { idle, clock }: { readonly idle: AbortController; readonly clock: Clock },
): AsyncGenerator<LogLine, void, undefined> {
  let last = clock.elapsed();
  const timer = setInterval(() => {
    if (clock.elapsed() - last > idleMs) idle.abort();
  }, 1_000);
  try {
    for await (const line of lines) {
      last = clock.elapsed();
      yield line;
      // A slow reader is no silence.
      last = clock.elapsed();
    }
  } catch (error) {
    if (!idle.signal.aborted) throw error;
  } finally {
    clearInterval(timer);
  }
}

/** Until lines are missing: the next answer says from where it goes on. */
async function* textsOf(
  first: IteratorResult<LogLine, void>,
  rest: AsyncIterator<LogLine, void>,
): AsyncGenerator<string, void, undefined> {
  try {
    let expected = first.done === true ? 0 : first.value.number;
    for (let line = first; line.done !== true && line.value.number === expected; line = await rest.next()) {
      expected += 1;
      yield `${line.value.text}\n`;
    }
  } finally {
    await rest.return?.();
  }
}
