import type { Agent } from 'node:http';
import type * as z from 'zod';
import { systemClock } from '../lib/clock.ts';
import { Failure, InvalidRequest } from '../lib/failure.ts';
import {
  agentRoutes,
  type AgentSelf,
  logPath,
  type Preflight,
  type PreflightRequest,
  type Route,
  type ServerInfo,
} from './agent.ts';
import { followLog, type LogLine } from './follow-log.ts';
import { failureOf, parseAnswer } from './answers.ts';
import { isEnded, type Job, type JobKind, type JobOf, type jobRequestSchemas } from './jobs.ts';
import { type Trust, trustingAgent } from './pinned-agent.ts';
import { readText, send } from './transport.ts';

export interface AgentClientOptions {
  /** `https://host:port` */
  readonly url: string;
  readonly token: string;
  readonly trust: Trust;
  /** For each answer. Default 30,000. */
  readonly timeoutMs?: number;
}

/** An agent that dialled out: the connections are those that it keeps open. */
export interface TunnelledAgentOptions extends Pick<AgentClientOptions, 'token' | 'timeoutMs'> {
  /** For messages. */
  readonly name: string;
  readonly connections: Agent;
}

export interface CallOptions {
  readonly signal: AbortSignal;
}

/** What an agent is asked to do; fields with defaults may be left out. */
export type JobInput<Kind extends JobKind> = z.input<(typeof jobRequestSchemas)[Kind]>;

export interface LogOptions extends CallOptions {
  /** The first line wanted, counted from 0. */
  readonly from?: number;
  /** Until the job has ended; else what is there now. Default true. */
  readonly follow?: boolean;
}

const defaultTimeoutMs = 30_000;
const maximumAnswer = 64 * 1024 * 1024;
const defaultPollMs = 1_000;

/**
 * An agent behind its HTTP API. Each call throws Failure `agent-unreachable`, PermanentFailure `agent-not-trusted`, or what
 * the agent answered: Conflict for 409, InvalidRequest for other faults of the request, PermanentFailure `not-authorised`.
 */
export class AgentClient implements Disposable {
  readonly url: URL;
  readonly #options: Pick<AgentClientOptions, 'token' | 'timeoutMs'>;
  readonly #agent: Agent;

  constructor(options: AgentClientOptions | TunnelledAgentOptions) {
    this.#options = options;
    if ('connections' in options) {
      this.url = new URL(`http://${options.name.replaceAll(/[^A-Za-z0-9.-]/g, '-')}.dialled-out`);
      this.#agent = options.connections;
      return;
    }
    this.url = parseUrl(options.url);
    this.#agent = trustingAgent(options.trust);
  }

  /** Asking again with the same id and attempt is harmless. */
  async start<Kind extends JobKind>(
    kind: Kind,
    id: string,
    options: CallOptions & { body: JobInput<Kind> },
  ): Promise<JobOf<Kind>> {
    return ofKind(kind, await this.#call(startRoutes[kind], { ...options, params: { id } }));
  }

  async get<Kind extends JobKind>(kind: Kind, id: string, options: CallOptions): Promise<JobOf<Kind>> {
    return ofKind(kind, await this.#call(getRoutes[kind], { ...options, params: { id } }));
  }

  async cancel<Kind extends JobKind>(kind: Kind, id: string, options: CallOptions): Promise<JobOf<Kind>> {
    return ofKind(kind, await this.#call(cancelRoutes[kind], { ...options, params: { id } }));
  }

  /** Newest first. */
  async list(options: CallOptions): Promise<readonly Job[]> {
    const { jobs } = await this.#call(agentRoutes.listJobs, options);
    return jobs;
  }

  async server(options: CallOptions): Promise<ServerInfo> {
    return this.#call(agentRoutes.getServer, options);
  }

  /** What it is; asks nothing of its host. */
  async self(options: CallOptions): Promise<AgentSelf> {
    return this.#call(agentRoutes.getAgent, options);
  }

  async preflight(options: CallOptions & { body: PreflightRequest }): Promise<Preflight> {
    return this.#call(agentRoutes.preflight, options);
  }

  /** The job each time it is asked for, until it has ended. A lost connection ends it with the error; ask again then. */
  async *watch<Kind extends JobKind>(
    kind: Kind,
    id: string,
    options: CallOptions & { readonly pollMs?: number },
  ): AsyncGenerator<JobOf<Kind>, void, undefined> {
    for (;;) {
      const job = await this.get(kind, id, options);
      yield job;
      if (isEnded(job.state)) return;
      await systemClock.sleep(options.pollMs ?? defaultPollMs, options);
    }
  }

  /** Lines as they are written, until the job has ended and all of them came. Old lines may be gone: numbers tell. */
  log(kind: JobKind, id: string, options: LogOptions): AsyncGenerator<LogLine, void, undefined> {
    const isOver = async (): Promise<boolean> => {
      const { state } = await this.get(kind, id, options);
      return isEnded(state);
    };
    const open = async (query: string) => {
      const url = new URL(`${logPath(kind, id)}?${query}`, this.url);
      const response = await this.#send({ method: 'GET', url, signal: options.signal });
      if (response.statusCode !== 200) throw await this.#failure(response, { url, signal: options.signal });
      return { url, response };
    };
    const { from = 0, follow, signal } = options;
    return followLog({ from, follow, signal, open, isOver });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #call<Called extends Route>(
    route: Called,
    options: CallOptions & { readonly params?: { readonly id: string }; readonly body?: unknown },
  ): Promise<z.output<Called['response']>> {
    const { signal, params, body } = options;
    const url = new URL(pathOf(route, params), this.url);
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await this.#send({ method: route.method, url, signal, ...json });
    if (response.statusCode !== route.status) throw await this.#failure(response, { url, signal });
    const schema: Called['response'] = route.response;
    return parseAnswer(schema, await readText(response, { url, maximum: maximumAnswer, signal }), { url });
  }

  async #send(options: { method: string; url: URL; signal: AbortSignal; body?: string }) {
    const { token, timeoutMs = defaultTimeoutMs } = this.#options;
    const type = options.body === undefined ? {} : { 'content-type': 'application/json' };
    const headers = { ...type, authorization: `Bearer ${token}` };
    return send({ ...options, headers, agent: this.#agent, idleMs: timeoutMs });
  }

  async #failure(
    response: Awaited<ReturnType<typeof send>>,
    options: { url: URL; signal: AbortSignal },
  ): Promise<Failure> {
    const text = await readText(response, { ...options, maximum: maximumAnswer });
    return failureOf({ status: response.statusCode ?? 0, text, url: options.url });
  }
}

const startRoutes = {
  backup: agentRoutes.startBackup,
  restore: agentRoutes.startRestore,
  drill: agentRoutes.startDrill,
} as const;
const getRoutes = {
  backup: agentRoutes.getBackup,
  restore: agentRoutes.getRestore,
  drill: agentRoutes.getDrill,
} as const;
const cancelRoutes = {
  backup: agentRoutes.cancelBackup,
  restore: agentRoutes.cancelRestore,
  drill: agentRoutes.cancelDrill,
} as const;

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  const isGood = url !== null && url.protocol === 'https:' && url.username === '' && url.password === '';
  if (isGood) return url;
  throw new InvalidRequest('agent-url-invalid', 'Cannot use this address of an agent as it is not a plain https URL', {
    nextStep: 'Write for example https://db1.example.net:7443; the token goes into a file.',
  });
}

function pathOf({ path }: Route, params: { readonly id: string } | undefined): string {
  return path.replace(':id', encodeURIComponent(params?.id ?? ''));
}

function ofKind<Kind extends JobKind>(kind: Kind, job: Job): JobOf<Kind> {
  if (isOfKind(kind, job)) return job;
  throw new Failure(
    'agent-answer-invalid',
    `Cannot read the answer of the agent as it is about a ${job.kind}: a ${kind} was asked for`,
  );
}

function isOfKind<Kind extends JobKind>(kind: Kind, job: Job): job is JobOf<Kind> {
  return job.kind === kind;
}
