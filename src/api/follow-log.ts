import type { IncomingMessage } from 'node:http';
import { systemClock } from '../lib/clock.ts';
import { LineSplitter } from '../lib/lines.ts';
import { firstLineHeader } from './agent.ts';
import { type Peer, unreachable } from './transport.ts';

export interface LogLine {
  readonly number: number;
  readonly text: string;
}

export interface FollowOptions {
  /** Who is asked. Default `agent`. */
  readonly peer?: Peer;
  readonly from: number;
  /** Until it has ended; else what is there now. Default true. */
  readonly follow?: boolean | undefined;
  readonly signal: AbortSignal;
  readonly open: (query: string) => Promise<{ readonly url: URL; readonly response: IncomingMessage }>;
  /** Has what writes it ended? */
  readonly isOver: () => Promise<boolean>;
}

/** Between the end of an answer and the next request. */
const pauseMs = 100;

/** An answer ends when nothing was said for a while, so it is asked for again until the job is over. */
export async function* followLog(options: FollowOptions): AsyncGenerator<LogLine, void, undefined> {
  const { follow = true } = options;
  let next = options.from;
  for (let wasOver = false; !wasOver;) {
    wasOver = !follow || (await options.isOver());
    for await (const line of readLines(await options.open(`follow=${follow}&from=${next}`), options)) {
      next = line.number + 1;
      yield line;
    }
    if (!wasOver) await systemClock.sleep(pauseMs, { signal: options.signal });
  }
}

async function* readLines(
  { url, response }: { url: URL; response: IncomingMessage },
  { signal, peer }: FollowOptions,
): AsyncGenerator<LogLine> {
  let number = Number(response.headers[firstLineHeader] ?? 0);
  let lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  try {
    for await (const part of response) {
      if (Buffer.isBuffer(part)) splitter.push(part);
      const ready = lines;
      lines = [];
      for (const text of ready) yield { number: number++, text };
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw unreachable(url, cause, peer);
  }
}
