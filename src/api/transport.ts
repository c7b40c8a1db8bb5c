import { once } from 'node:events';
import { type Agent, type IncomingMessage, request as requestInClear } from 'node:http';
import { request } from 'node:https';
import { Failure } from '../lib/failure.ts';

/** Who is talked to, for messages and codes. */
export type Peer = 'agent' | 'manager';

export interface HttpRequest {
  /** Default `agent`. */
  readonly peer?: Peer;
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent: Agent;
  /** Until the answer's head is there, and between two parts of its body. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/**
 * Sends one request and returns its answer, whose body must be read or destroyed.
 * @throws Failure `agent-unreachable` or `manager-unreachable`, or the failure that the connection ended with
 */
export async function send(options: HttpRequest): Promise<IncomingMessage> {
  const { method, url, body, agent, idleMs, signal } = options;
  signal.throwIfAborted();
  const headers =
    body === undefined ? options.headers : { ...options.headers, 'content-length': Buffer.byteLength(body) };
  const open = url.protocol === 'http:' ? requestInClear : request;
  const outgoing = open(url, { method, headers, agent, signal });
  // While the connection is being made there is no socket whose silence could be measured.
  const overdue = setTimeout(() => outgoing.destroy(new Error(`no answer within ${idleMs / 1000} s`)), idleMs);
  try {
    outgoing.end(body);
    const [response]: IncomingMessage[] = await once(outgoing, 'response');
    if (response === undefined) throw new Error('no answer');
    // Errors after this reach whoever reads the body; without a reader they must not end the process.
    outgoing.on('error', () => undefined);
    response.on('error', () => undefined);
    response.setTimeout(idleMs, () => response.destroy(new Error(`nothing came for ${idleMs / 1000} s`)));
    return response;
  } catch (cause) {
    signal.throwIfAborted();
    throw unreachable(url, cause, options.peer);
  } finally {
    clearTimeout(overdue);
  }
}

/** The whole body as text. @throws Failure `…-unreachable` when it breaks off, `…-answer-invalid` when it is too long */
export async function readText(
  response: IncomingMessage,
  options: { url: URL; maximum: number; signal: AbortSignal; peer?: Peer },
): Promise<string> {
  const { url, peer = 'agent' } = options;
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of response) {
      if (!Buffer.isBuffer(part)) continue;
      parts.push(part);
      size += part.length;
      if (size > options.maximum) break;
    }
  } catch (cause) {
    options.signal.throwIfAborted();
    throw unreachable(url, cause, peer);
  }
  if (size <= options.maximum) return Buffer.concat(parts).toString('utf8');
  throw new Failure(
    `${peer}-answer-invalid`,
    `Cannot read the answer of ${url.origin} as it is longer than ${options.maximum} bytes`,
  );
}

/** A failure that came through the connection is told as it is. */
export function unreachable(url: URL, cause: unknown, peer: Peer = 'agent'): Failure {
  if (cause instanceof Failure) return cause;
  const why = cause instanceof Error ? reasonOf(cause) : String(cause);
  return new Failure(`${peer}-unreachable`, `Cannot reach the ${peer} at ${url.origin} as it does not answer: ${why}`, {
    cause,
    nextStep: `Check that the ${peer} runs there, that the address and port are right, and that no firewall is between.`,
  });
}

function reasonOf(cause: Error): string {
  // Several addresses were tried, each with an error of its own.
  if (cause instanceof AggregateError)
    return cause.errors.map((each) => (each instanceof Error ? each.message : String(each))).join(', ');
  return cause.message;
}
