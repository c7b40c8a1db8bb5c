import { AgentClient, type CallOptions, type JobInput, type LogOptions } from '../../api/client.ts';
import type { PreflightRequest } from '../../api/agent.ts';
import type { LogLine } from '../../api/follow-log.ts';
import type { JobKind } from '../../api/jobs.ts';
import type { AgentCalls, Launcher } from '../../control/launcher.ts';
import { tunnelLimit } from '../../api/enrol.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { Failure, InvalidRequest } from '../../lib/failure.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import type { AgentBook } from './agent-book.ts';
import { judgeCall } from './agent-state.ts';
import type { AgentCredentials } from './credentials.ts';
import type { Tunnels } from './tunnels.ts';

export interface ConnectionsOptions {
  readonly catalog: Catalog;
  readonly credentials: AgentCredentials;
  readonly tunnels: Tunnels;
  readonly book: AgentBook;
  /** For each answer of an agent. Default 30,000. */
  readonly timeoutMs?: number;
}

interface Open {
  readonly client: AgentClient;
  /** To what it goes, and with which token. */
  readonly key: string;
}

/** An agent that dials out has so many connections; Node would count only those that are made already. */
interface Turns {
  readonly calls: Semaphore;
  /** Whoever follows one holds its connection. */
  readonly logs: Semaphore;
}
const logLimit = 6;

/** The way to the agents of a fleet; what each call finds is noted in the book. */
export class AgentConnections implements Launcher, Disposable {
  readonly #options: ConnectionsOptions;
  readonly #open = new Map<string, Open>();
  readonly #allTurns = new Map<string, Turns>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  agent(name: string): AgentCalls {
    return {
      start: async <Kind extends JobKind>(kind: Kind, id: string, options: CallOptions & { body: JobInput<Kind> }) =>
        this.#call(name, async (client) => client.start(kind, id, options)),
      get: async <Kind extends JobKind>(kind: Kind, id: string, options: CallOptions) =>
        this.#call(name, async (client) => client.get(kind, id, options)),
      cancel: async <Kind extends JobKind>(kind: Kind, id: string, options: CallOptions) =>
        this.#call(name, async (client) => client.cancel(kind, id, options)),
      list: async (options: CallOptions) => this.#call(name, async (client) => client.list(options)),
      server: async (options: CallOptions) => this.#call(name, async (client) => client.server(options)),
      preflight: async (options: CallOptions & { body: PreflightRequest }) =>
        this.#call(name, async (client) => client.preflight(options)),
      log: (kind: JobKind, id: string, options: LogOptions) =>
        this.#log(name, (client) => client.log(kind, id, options)),
    };
  }

  /** Is it there, and is it the one that joined? The answer goes into the book; what went wrong is only there. */
  async check(name: string, { signal, limitMs }: CallOptions & { readonly limitMs: number }): Promise<void> {
    const limit = AbortSignal.timeout(limitMs);
    try {
      await this.#call(name, async (client) => client.self({ signal: AbortSignal.any([signal, limit]) }));
    } catch {
      if (limit.aborted && !signal.aborted) this.#judged(name, overdue(name, limitMs));
    }
  }

  /** The agent is no more, or joined again. */
  forget(name: string): void {
    this.#open.get(name)?.client[Symbol.dispose]();
    this.#open.delete(name);
  }

  [Symbol.dispose](): void {
    for (const name of this.#open.keys()) this.forget(name);
  }

  async #call<Result>(name: string, work: (client: AgentClient) => Promise<Result>): Promise<Result> {
    const client = await this.#client(name);
    using _ = await this.#turns(name).calls.take();
    try {
      const result = await work(client);
      this.#options.book.called(name, judgeCall(name, undefined));
      return result;
    } catch (error) {
      throw this.#judged(name, error);
    }
  }

  async *#log(
    name: string,
    lines: (client: AgentClient) => AsyncGenerator<LogLine, void, undefined>,
  ): AsyncGenerator<LogLine, void, undefined> {
    try {
      const client = await this.#client(name);
      using _ = await this.#turns(name).logs.take();
      yield* lines(client);
    } catch (error) {
      throw this.#judged(name, error);
    }
  }

  #turns(name: string): Turns {
    const found = this.#allTurns.get(name);
    if (found !== undefined) return found;
    const turns = { calls: new Semaphore(tunnelLimit - logLimit), logs: new Semaphore(logLimit) };
    this.#allTurns.set(name, turns);
    return turns;
  }

  /** Notes what an error says of the agent. */
  #judged(name: string, error: unknown): unknown {
    // A call that nobody waits for any more says nothing.
    if (!(error instanceof Failure)) return error;
    const judged = judgeCall(name, error);
    this.#options.book.called(name, judged);
    return judged.refusal ?? error;
  }

  async #client(name: string): Promise<AgentClient> {
    const { catalog, credentials, book, tunnels, timeoutMs } = this.#options;
    const agent = await catalog.get('Agent', name);
    const token = await credentials.agentToken(name);
    if (agent === undefined || token === undefined) throw noSuchAgent(name);
    const unfit = book.factsOf(name)?.unfit;
    if (unfit !== undefined) throw unfit;
    const { connection } = agent.spec;
    const key = JSON.stringify([agent.uid, connection, token]);
    const found = this.#open.get(name);
    if (found?.key === key) return found.client;
    this.forget(name);
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    const client =
      connection.type === 'listens'
        ? new AgentClient({ url: connection.url, trust: { fingerprint: connection.fingerprint }, token, ...limit })
        : new AgentClient({ name, connections: tunnels.connections(name), token, ...limit });
    this.#open.set(name, { client, key });
    return client;
  }
}

function noSuchAgent(name: string): InvalidRequest {
  return new InvalidRequest(
    'no-such-agent',
    `Cannot ask agent ${name} as it is not there: it never joined, or was removed`,
    {
      nextStep: 'The page Agents shows those that are there, and how to add one.',
    },
  );
}

function overdue(name: string, limitMs: number): Failure {
  return new Failure(
    'agent-unreachable',
    `Cannot reach agent ${name} as it does not answer: within ${limitMs / 1000} s`,
    {
      nextStep: 'Check that its host is not overloaded, and that no firewall is between.',
    },
  );
}
