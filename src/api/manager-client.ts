import type { Agent, IncomingMessage } from 'node:http';
import type * as z from 'zod';
import { Failure } from '../lib/failure.ts';
import { failureOf, parseAnswer } from './answers.ts';
import { followLog, type LogLine } from './follow-log.ts';
import { logKinds, managerRoutes, type ManagerRouteName } from './manager.ts';
import { connectionsTo, managerUrl } from './manager-connection.ts';
import type { Trust } from './pinned-agent.ts';
import type { ManagerRoute } from './route-kit.ts';
import { readText, send } from './transport.ts';

export interface ManagerClientOptions {
  /** `https://host:port`; `http://` only on this host. */
  readonly url: string;
  /** How the manager proves who it is; without it, by the authorities that this system trusts. */
  readonly trust?: Trust | undefined;
  /** Without it only what is open to anyone can be asked for, until `signIn`. */
  readonly token?: string | undefined;
  /** For each answer. Default 60,000. */
  readonly timeoutMs?: number;
}

type RouteOf<Name extends ManagerRouteName> = (typeof managerRoutes)[Name];
/** Left out where the route takes nothing, or only what has defaults. */
type Part<Key extends string, Schema extends z.ZodType> =
  undefined extends z.input<Schema>
    ? { readonly [Each in Key]?: undefined }
    : Record<never, never> extends z.input<Schema>
      ? { readonly [Each in Key]?: z.input<Schema> }
      : { readonly [Each in Key]: z.input<Schema> };
export type CallInput<Name extends ManagerRouteName> = Part<'params', RouteOf<Name>['params']> &
  Part<'query', RouteOf<Name>['query']> &
  Part<'body', RouteOf<Name>['body']> & { readonly signal: AbortSignal };
export type CallOutput<Name extends ManagerRouteName> = z.output<RouteOf<Name>['response']>;
export type LogKind = (typeof logKinds)[number];

/** One request as the table of routes knows it. */
interface Call {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

const defaultTimeoutMs = 60_000;
const maximumAnswer = 64 * 1024 * 1024;
const peer = 'manager';

/**
 * A manager behind its HTTP API. Each call throws Failure `manager-unreachable`, PermanentFailure `manager-not-trusted`, or
 * what the manager answered: Conflict for 409, InvalidRequest for other faults of the request.
 */
export class ManagerClient implements Disposable {
  readonly url: URL;
  readonly #options: ManagerClientOptions;
  readonly #agent: Agent;
  #cookie: string | undefined;

  constructor(options: ManagerClientOptions) {
    this.url = managerUrl(options.url);
    this.#options = options;
    this.#agent = connectionsTo(this.url, options.trust);
  }

  async call<Name extends ManagerRouteName>(name: Name, input: CallInput<Name>): Promise<CallOutput<Name>> {
    return this.#call<RouteOf<Name>>(managerRoutes[name], input);
  }

  /** From now on each call is that of this person. */
  async signIn(person: {
    readonly name: string;
    readonly password: string;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const { name, password, signal } = person;
    const response = await this.#answer(managerRoutes.signIn, { body: { name, password }, signal });
    response.resume();
    this.#cookie = (response.headers['set-cookie'] ?? []).map((each) => each.split(';')[0] ?? '').join('; ');
  }

  /** Lines as they are written, until what writes them has ended and all of them came. */
  log(
    kind: LogKind,
    name: string,
    options: { readonly from?: number; readonly signal: AbortSignal; readonly isOver: () => Promise<boolean> },
  ): AsyncGenerator<LogLine, void, undefined> {
    const { from = 0, signal, isOver } = options;
    const open = async (query: string) => {
      const url = new URL(`/api/v1/${kind}/${encodeURIComponent(name)}/log?${query}`, this.url);
      const response = await this.#send({ method: 'GET', url, signal });
      if (response.statusCode !== 200) throw await this.#failure(response, signal);
      return { url, response };
    };
    return followLog({ from, signal, open, isOver, peer });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #call<Called extends ManagerRoute>(route: Called, call: Call): Promise<z.output<Called['response']>> {
    const response = await this.#answer(route, call);
    const schema: Called['response'] = route.response;
    const url = this.url;
    const text = await readText(response, { url, peer, maximum: maximumAnswer, signal: call.signal });
    return route.status === 204 ? schema.parse(undefined) : parseAnswer(schema, text, { url, peer });
  }

  async #answer(route: ManagerRoute, { params, query, body, signal }: Call): Promise<IncomingMessage> {
    const url = new URL(pathOf(route, params, query), this.url);
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await this.#send({ method: route.method, url, signal, ...json });
    if (response.statusCode === route.status) return response;
    throw await this.#failure(response, signal);
  }

  async #send(request: { method: string; url: URL; signal: AbortSignal; body?: string }): Promise<IncomingMessage> {
    const { token, timeoutMs = defaultTimeoutMs } = this.#options;
    const headers = {
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(this.#cookie === undefined ? {} : { cookie: this.#cookie }),
    };
    return send({ ...request, peer, headers, agent: this.#agent, idleMs: timeoutMs });
  }

  async #failure(response: IncomingMessage, signal: AbortSignal): Promise<Failure> {
    const text = await readText(response, { url: this.url, peer, maximum: maximumAnswer, signal });
    return failureOf({ status: response.statusCode ?? 0, text, url: this.url, peer });
  }
}

/** Is a manager at this address, rather than an agent? Asks it. */
export async function isManager(options: ManagerClientOptions, { signal }: { signal: AbortSignal }): Promise<boolean> {
  using client = new ManagerClient(options);
  try {
    await client.call('getManager', { signal });
    return true;
  } catch (error) {
    if (error instanceof Failure && ['manager-unreachable', 'manager-not-trusted'].includes(error.code)) throw error;
    return false;
  }
}

function pathOf({ path, params: schema }: ManagerRoute, params: unknown, query: unknown): string {
  const filled = Object.entries(schema.parse(params ?? {}) ?? {}).reduce(
    (text, [name, value]) => text.replace(`:${name}`, encodeURIComponent(String(value))),
    path,
  );
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return `/api/v1${filled}${search === '' ? '' : `?${search}`}`;
}
