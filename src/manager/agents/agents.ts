import type { FastifyInstance } from 'fastify';
import type { EnrolAnswer, EnrolRequest } from '../../api/enrol.ts';
import type { Resource } from '../../api/resources.ts';
import type { Catalog, Change } from '../../catalog/catalog.ts';
import type { Launcher } from '../../control/launcher.ts';
import type { SecretStore } from '../../control/secrets.ts';
import type { Clock } from '../../lib/clock.ts';
import { mapConcurrently } from '../../lib/concurrently.ts';
import { AgentBook } from './agent-book.ts';
import { type AgentFacts, lostAfterMs, notDialled } from './agent-state.ts';
import type { AgentResource } from './change-agent.ts';
import { AgentConnections } from './connections.ts';
import { AgentCredentials } from './credentials.ts';
import { mountAgentRoutes } from './enrol-routes.ts';
import { enrol } from './enrolment.ts';
import { JoinTokens } from './join-tokens.ts';
import { Tunnels } from './tunnels.ts';

export interface AgentsOptions {
  readonly catalog: Catalog;
  readonly secrets: SecretStore;
  readonly clock: Clock;
  /** Of this program. */
  readonly version: string;
  /** For the manager's own log. */
  readonly onTrouble: (message: string, error?: unknown) => void;
  /** From one look at all agents to the next. Default 10,000. */
  readonly lookEveryMs?: number;
  /** For each answer of an agent. Default 30,000. */
  readonly timeoutMs?: number;
}

const defaultLookEveryMs = 10_000;
/** From one check of an agent that can be called, and gave no trouble, to the next. */
const checkEveryMs = 1_800_000;
/** Of one that could not be reached. */
const unreachableCheckEveryMs = 30_000;
/** Asking with a wrong token too often would be taken for an attack. */
const refusedCheckEveryMs = 60_000;
const checkLimitMs = 10_000;
const checksAtOnce = 8;

/** The agents of a fleet: how they join, whether they live, and the way to them. */
export class Agents implements AsyncDisposable {
  readonly launcher: Launcher;
  readonly joinTokens: JoinTokens;
  readonly #options: AgentsOptions;
  readonly #credentials: AgentCredentials;
  readonly #tunnels: Tunnels;
  readonly #book: AgentBook;
  readonly #connections: AgentConnections;
  readonly #checkedAt = new Map<string, number>();
  readonly #ending = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  private constructor(options: AgentsOptions) {
    const { catalog, secrets, clock, timeoutMs } = options;
    this.#options = options;
    this.joinTokens = new JoinTokens(secrets, clock);
    this.#credentials = new AgentCredentials(secrets, clock);
    this.#book = new AgentBook(options);
    this.#tunnels = new Tunnels((name) => this.#lookAtTunnels(name));
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    this.#connections = new AgentConnections({
      catalog,
      credentials: this.#credentials,
      tunnels: this.#tunnels,
      book: this.#book,
      ...limit,
    });
    this.launcher = this.#connections;
  }

  /** Begins to look after the agents that the catalog knows. */
  static async open(options: AgentsOptions): Promise<Agents> {
    const agents = new Agents(options);
    const { signal } = agents.#ending;
    const watching = agents.#watch(signal);
    await agents.#list();
    agents.#loops = Promise.allSettled([watching, agents.#look(signal)]);
    return agents;
  }

  /** When an agent was heard last, which may be later than the catalog says. */
  lastSeenAt(name: string): string | undefined {
    return this.#book.lastSeenAt(name);
  }

  /** Adds what agents ask for: joining, heartbeats, connections that they open. */
  mount(server: FastifyInstance): void {
    mountAgentRoutes(server, {
      credentials: this.#credentials,
      book: this.#book,
      tunnels: this.#tunnels,
      version: this.#options.version,
      enrol: async (request) => this.enrol(request),
    });
  }

  /** @throws what `enrol` of `enrolment.ts` throws */
  async enrol(request: EnrolRequest): Promise<EnrolAnswer> {
    const { catalog, version } = this.#options;
    const answer = await enrol(request, { catalog, version, tokens: this.joinTokens, credentials: this.#credentials });
    this.#drop(request.name);
    await this.#book.joined(request.name);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    this.#connections[Symbol.dispose]();
    this.#tunnels[Symbol.dispose]();
    await this.#loops;
    await this.#book.settled();
  }

  async #list(): Promise<void> {
    const gone = new Set(this.#book.names);
    for await (const agent of this.#options.catalog.list('Agent')) {
      if (!gone.has(agent.name)) this.#expectCheck(agent);
      this.#book.learn(agent);
      gone.delete(agent.name);
    }
    for (const name of gone) this.#forget(name);
  }

  /** Where all was well before the manager began, the first checks are spread as the later ones are. */
  #expectCheck({ name, status }: AgentResource): void {
    if (status.state !== 'Connected') return;
    this.#checkedAt.set(name, this.#options.clock.elapsed() - Math.random() * checkEveryMs);
  }

  /** Follows who comes and goes; where changes were lost, all are read again. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { catalog, onTrouble } = this.#options;
    for (;;) {
      try {
        for await (const change of catalog.watch({ signal })) this.#onChange(change);
        return;
      } catch (error) {
        if (signal.aborted) return;
        onTrouble('Changes of agents were lost; all of them are read again', error);
        await this.#list().catch((failed: unknown) => onTrouble('The agents cannot be read', failed));
      }
    }
  }

  #onChange({ kind, name, resource }: Change): void {
    if (kind === 'Agent' && resource === undefined) this.#forget(name);
    if (resource !== undefined && isAgent(resource)) this.#book.learn(resource);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { clock, lookEveryMs = defaultLookEveryMs } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(lookEveryMs, { signal }).catch(() => undefined);
      for (const name of this.#book.names) this.#lookAtTunnels(name);
      this.#book.look();
      await this.#check(signal);
    }
  }

  /** An agent that dials out and lives must have a connection open. */
  #lookAtTunnels(name: string): void {
    if (this.#book.connectionOf(name)?.type !== 'dials') return;
    const isMissing = !this.#tunnels.isOpen(name);
    const isKnownSo = this.#book.factsOf(name)?.unreachable !== undefined;
    if (isMissing === isKnownSo) return;
    const refusal = this.#book.factsOf(name)?.refusal;
    this.#book.called(name, { refusal, unreachable: isMissing ? notDialled(name) : undefined });
  }

  /** Calls those of which too long nothing was known but that they send heartbeats. */
  async #check(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const due = this.#book.names.filter((name) => this.#isDue(name, clock.elapsed()));
    await mapConcurrently(due, checksAtOnce, async (name) => {
      if (signal.aborted) return;
      this.#checkedAt.set(name, clock.elapsed());
      await this.#connections.check(name, { signal, limitMs: checkLimitMs });
    });
  }

  #isDue(name: string, now: number): boolean {
    const facts = this.#book.factsOf(name);
    if (facts?.heardAt === undefined || now - facts.heardAt > lostAfterMs) return false;
    // One that dials out is reached as soon as it has done so.
    if (facts.unreachable !== undefined && !this.#isCallable(name)) return false;
    return now - (this.#checkedAt.get(name) ?? -checkEveryMs) >= everyMs(facts);
  }

  #isCallable(name: string): boolean {
    return this.#book.connectionOf(name)?.type === 'listens' || this.#tunnels.isOpen(name);
  }

  #forget(name: string): void {
    this.#drop(name);
    this.#book.forget(name);
    this.#credentials.forget(name);
  }

  #drop(name: string): void {
    this.#connections.forget(name);
    this.#tunnels.drop(name);
    this.#checkedAt.delete(name);
  }
}

function everyMs({ refusal, unreachable }: AgentFacts): number {
  if (refusal !== undefined) return refusedCheckEveryMs;
  return unreachable === undefined ? checkEveryMs : unreachableCheckEveryMs;
}

function isAgent(resource: Resource): resource is AgentResource {
  return resource.kind === 'Agent';
}
