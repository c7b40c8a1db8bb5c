import { type IncomingMessage, request as requestInClear } from 'node:http';
import { request } from 'node:https';
import type { Duplex } from 'node:stream';
import type * as z from 'zod';
import { failureOf, parseAnswer } from './answers.ts';
import {
  type EnrolAnswer,
  enrolAnswerSchema,
  enrolPath,
  type EnrolRequest,
  type Heartbeat,
  heartbeatAnswerSchema,
  heartbeatPath,
  tunnelPath,
  tunnelProtocol,
} from './enrol.ts';
import { connectionsTo, managerUrl } from './manager-connection.ts';
import { readText, send, unreachable } from './transport.ts';

export interface EnrolClientOptions {
  readonly url: string;
  /** Of the manager's certificate; without it the authorities of this system decide. */
  readonly fingerprint?: string | undefined;
  /** What the manager gave to this agent; undefined while it joins. */
  readonly credential?: string | undefined;
  /** For each answer. Default 10,000. */
  readonly timeoutMs?: number;
}

interface Abortable {
  readonly signal: AbortSignal;
}

const defaultTimeoutMs = 10_000;
const maximumAnswer = 1024 * 1024;
const peer = 'manager';

/**
 * A manager as its agents see it. Each call throws Failure `manager-unreachable`, PermanentFailure `manager-not-trusted`, or
 * what the manager answered, PermanentFailure `not-authorised` where it does not know the agent any more.
 */
export class EnrolClient implements Disposable {
  readonly url: URL;
  readonly #options: EnrolClientOptions;
  readonly #connections: ReturnType<typeof connectionsTo>;

  constructor(options: EnrolClientOptions) {
    const { url, fingerprint } = options;
    this.url = managerUrl(url);
    this.#options = options;
    this.#connections = connectionsTo(this.url, fingerprint === undefined ? undefined : { fingerprint });
  }

  async enrol(body: EnrolRequest, options: Abortable): Promise<EnrolAnswer> {
    return this.#post(enrolPath, enrolAnswerSchema, { ...options, body });
  }

  async heartbeat(body: Heartbeat, options: Abortable): Promise<z.output<typeof heartbeatAnswerSchema>> {
    return this.#post(heartbeatPath, heartbeatAnswerSchema, { ...options, body });
  }

  /** A connection on which the manager asks from now on. Whoever gets it owns it. */
  async openTunnel({ signal }: Abortable): Promise<Duplex> {
    signal.throwIfAborted();
    const { timeoutMs = defaultTimeoutMs } = this.#options;
    const url = new URL(tunnelPath, this.url);
    const open = url.protocol === 'http:' ? requestInClear : request;
    const headers = { ...this.#authorization(), connection: 'Upgrade', upgrade: tunnelProtocol };
    const outgoing = open(url, { headers, agent: this.#connections, signal });
    const overdue = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    const upgraded = Promise.withResolvers<Duplex | undefined>();
    const answer = Promise.withResolvers<IncomingMessage>();
    outgoing.once('upgrade', (_, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      upgraded.resolve(socket);
    });
    outgoing.once('response', (response) => {
      answer.resolve(response);
      upgraded.resolve(undefined);
    });
    outgoing.on('error', upgraded.reject);
    outgoing.end();
    try {
      const socket = await upgraded.promise;
      if (socket !== undefined) return socket;
      const response = await answer.promise;
      const text = await readText(response, { url, peer, maximum: maximumAnswer, signal });
      throw failureOf({ status: response.statusCode ?? 0, text, url, peer });
    } catch (cause) {
      signal.throwIfAborted();
      throw unreachable(url, cause, peer);
    } finally {
      clearTimeout(overdue);
    }
  }

  [Symbol.dispose](): void {
    this.#connections.destroy();
  }

  async #post<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    { body, signal }: Abortable & { readonly body: unknown },
  ): Promise<z.output<Schema>> {
    const { timeoutMs = defaultTimeoutMs } = this.#options;
    const url = new URL(path, this.url);
    const headers = { ...this.#authorization(), 'content-type': 'application/json' };
    const json = JSON.stringify(body);
    const connection = { agent: this.#connections, idleMs: timeoutMs, signal };
    const response = await send({ method: 'POST', peer, url, headers, body: json, ...connection });
    const text = await readText(response, { url, peer, maximum: maximumAnswer, signal });
    if (response.statusCode === 200) return parseAnswer(schema, text, { url, peer });
    throw failureOf({ status: response.statusCode ?? 0, text, url, peer });
  }

  #authorization(): Record<string, string> {
    const { credential } = this.#options;
    return credential === undefined ? {} : { authorization: `Bearer ${credential}` };
  }
}
