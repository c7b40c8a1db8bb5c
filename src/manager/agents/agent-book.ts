import { isDeepStrictEqual } from 'node:util';
import { describeFailure } from '../../api/describe-failure.ts';
import type { AgentReport, Heartbeat } from '../../api/enrol.ts';
import { agentReportSchema } from '../../api/enrol.ts';
import type { StatusOf } from '../../api/resources.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { type Clock, isoTime } from '../../lib/clock.ts';
import { versionsFit } from '../../lib/program-version.ts';
import { type AgentFacts, conditionOf } from './agent-state.ts';
import { type AgentResource, changeAgent } from './change-agent.ts';
import { unfitVersion } from './enrolment.ts';

export interface AgentBookOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Of this program. */
  readonly version: string;
  readonly onTrouble: (message: string, error?: unknown) => void;
}

type Status = StatusOf<'Agent'>;

interface Page {
  facts: AgentFacts;
  /** Changes with each that joins under this name. */
  readonly uid: string;
  connection: AgentResource['spec']['connection'];
  version: string | undefined;
  /** Undefined until it is known, or was asked for again. */
  report: AgentReport | undefined;
  lastSeenAt: string | undefined;
  /** Monotonic, of the last write of any kind. */
  writtenAt: number;
  /** What was written last, without the time it was seen. */
  written: unknown;
  writing: Promise<void> | undefined;
}

/** From one write of nothing but the time it was seen to the next. */
const seenEveryMs = 300_000;

/** What the manager knows of each agent. It tells the catalog of changes, and now and then that an agent lives. */
export class AgentBook {
  readonly #options: AgentBookOptions;
  readonly #pages = new Map<string, Page>();

  constructor(options: AgentBookOptions) {
    this.#options = options;
  }

  get names(): readonly string[] {
    return [...this.#pages.keys()];
  }

  /** An agent as the catalog has it, at the start and when it changes. */
  learn(agent: AgentResource): void {
    const page = this.#pages.get(agent.name);
    if (page?.uid !== agent.uid) this.#pages.set(agent.name, this.#open(agent));
    else page.connection = agent.spec.connection;
  }

  /** The agent is no more. */
  forget(name: string): void {
    this.#pages.delete(name);
  }

  /** It joined, maybe anew: what was held against it counts no more. */
  async joined(name: string): Promise<void> {
    const agent = await this.#options.catalog.get('Agent', name);
    if (agent !== undefined) this.#pages.set(name, this.#open(agent));
  }

  /** @returns does the manager lack the report? Undefined where it knows no such agent */
  heard(name: string, { version, hostname, report }: Heartbeat): { readonly wantsReport: boolean } | undefined {
    const page = this.#pages.get(name);
    if (page === undefined) return undefined;
    const { clock, version: own } = this.#options;
    const unfit = versionsFit(version, own) ? undefined : unfitVersion(name, { agent: version, manager: own });
    page.facts = { ...page.facts, hostname, heardAt: clock.elapsed(), unfit };
    page.version = version;
    page.lastSeenAt = isoTime(clock.now());
    if (report !== undefined) page.report = agentReportSchema.parse(report);
    this.#write(page);
    return { wantsReport: page.report === undefined };
  }

  /** A call to the agent ended so. */
  called(name: string, outcome: Pick<AgentFacts, 'refusal' | 'unreachable'>): void {
    const page = this.#pages.get(name);
    if (page === undefined) return;
    page.facts = { ...page.facts, ...outcome };
    this.#write(page);
  }

  factsOf(name: string): AgentFacts | undefined {
    return this.#pages.get(name)?.facts;
  }

  connectionOf(name: string): AgentResource['spec']['connection'] | undefined {
    return this.#pages.get(name)?.connection;
  }

  /** Writes what changed by the mere passing of time. */
  look(): void {
    for (const page of this.#pages.values()) this.#write(page);
  }

  /** Until what is being written is written. */
  async settled(): Promise<void> {
    await Promise.all([...this.#pages.values()].map(async ({ writing }) => writing));
  }

  #open({ name, uid, spec, status }: AgentResource): Page {
    const now = this.#options.clock.elapsed();
    const wasHeardBefore = status.lastSeenAt !== undefined;
    const none = { refusal: undefined, unreachable: undefined, unfit: undefined };
    return {
      facts: { name, hostname: status.hostname, heardAt: undefined, expectedFrom: now, wasHeardBefore, ...none },
      uid,
      connection: spec.connection,
      version: status.version,
      report: wasHeardBefore ? agentReportSchema.parse(status) : undefined,
      lastSeenAt: status.lastSeenAt,
      writtenAt: now,
      written: undefined,
      writing: undefined,
    };
  }

  #write(page: Page): void {
    if (page.writing !== undefined || !this.#isWorthWriting(page)) return;
    const name = page.facts.name;
    page.writing = this.#writeNow(page)
      .catch((error: unknown) => this.#options.onTrouble(`The state of agent ${name} cannot be recorded`, error))
      .finally(() => {
        page.writing = undefined;
      });
  }

  #isWorthWriting(page: Page): boolean {
    const now = this.#options.clock.elapsed();
    const { state } = conditionOf(page.facts, now);
    // After a restart of the manager what the catalog says holds until more is known.
    if (state === 'Unknown') return false;
    const isHeard = page.facts.heardAt !== undefined && page.facts.heardAt > page.writtenAt;
    return (isHeard && now - page.writtenAt >= seenEveryMs) || !isDeepStrictEqual(this.#content(page), page.written);
  }

  async #writeNow(page: Page): Promise<void> {
    const content = this.#content(page);
    page.written = content;
    page.writtenAt = this.#options.clock.elapsed();
    const { lastSeenAt } = page;
    const seen = lastSeenAt === undefined ? {} : { lastSeenAt };
    await changeAgent(this.#options.catalog, page.facts.name, ({ uid, spec, status }) => {
      if (uid !== page.uid) return { spec, status };
      const { failure: _, ...rest } = status;
      return { spec, status: { ...rest, ...content, ...seen } };
    });
  }

  #content({ facts, version, report }: Page): Partial<Status> & Pick<Status, 'state'> {
    const { state, failure } = conditionOf(facts, this.#options.clock.elapsed());
    return {
      state,
      ...(failure === undefined ? {} : { failure: describeFailure(failure) }),
      ...(version === undefined ? {} : { version }),
      ...(facts.hostname === undefined ? {} : { hostname: facts.hostname }),
      ...report,
    };
  }
}
