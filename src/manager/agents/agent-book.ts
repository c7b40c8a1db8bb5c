import { isDeepStrictEqual } from 'node:util';
import { describeFailure } from '../../api/describe-failure.ts';
import type { AgentReport, Heartbeat } from '../../api/enrol.ts';
import { agentReportSchema } from '../../api/enrol.ts';
import type { StatusOf } from '../../api/resources.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { isLittleGrowth } from '../../control/service-status.ts';
import { type Clock, isoTime, msOf } from '../../lib/clock.ts';
import { versionsFit } from '../../lib/program-version.ts';
import { type AgentCondition, type AgentFacts, conditionOf } from './agent-state.ts';
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

/** What is worth a write when it changes; cheap to compare, as each heartbeat asks. */
interface Mark {
  readonly state: Status['state'];
  readonly failure: string | undefined;
  readonly version: string | undefined;
  readonly hostname: string | undefined;
  readonly report: AgentReport | undefined;
}

interface Page {
  facts: AgentFacts;
  /** Changes with each that joins under this name. */
  readonly uid: string;
  connection: AgentResource['spec']['connection'];
  version: string | undefined;
  /** Undefined until it is known, or was asked for again. */
  report: AgentReport | undefined;
  /** By the clock on the wall. */
  seenAt: number | undefined;
  /** Monotonic, of the last write of any kind. */
  writtenAt: number;
  /** What the catalog has; undefined where that is to be written anew. */
  written: Mark | undefined;
  writing: Promise<void> | undefined;
  /** The last write. */
  hasFailed: boolean;
}

/**
 * From one write of nothing but the time it was seen to the next. Each costs as much as several heartbeats, and only a manager
 * that starts reads it: until then the book itself knows better.
 */
const seenEveryMs = 3_600_000;
/** After a write that failed. */
const againMs = 60_000;

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
    page.seenAt = clock.now();
    if (report !== undefined) page.report = newer(page.report, agentReportSchema.parse(report));
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

  /** When it was heard last, which may be later than the catalog says. */
  lastSeenAt(name: string): string | undefined {
    const page = this.#pages.get(name);
    return page?.seenAt === undefined ? undefined : isoTime(page.seenAt);
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
    const { state, version, hostname, failure } = status;
    const wasHeardBefore = status.lastSeenAt !== undefined;
    const none = { refusal: undefined, unreachable: undefined, unfit: undefined };
    const report = wasHeardBefore ? agentReportSchema.parse(status) : undefined;
    return {
      facts: { name, hostname, heardAt: undefined, expectedFrom: now, wasHeardBefore, ...none },
      uid,
      connection: spec.connection,
      version,
      report,
      seenAt: status.lastSeenAt === undefined ? undefined : msOf(status.lastSeenAt),
      // Those that a manager finds when it starts are not written all at once again.
      writtenAt: now - Math.random() * seenEveryMs,
      written: { state, failure: failure?.message, version, hostname, report },
      writing: undefined,
      hasFailed: false,
    };
  }

  #write(page: Page): void {
    if (page.writing !== undefined || !this.#isWorthWriting(page)) return;
    const name = page.facts.name;
    page.writing = this.#writeNow(page)
      .catch((error: unknown) => {
        page.written = undefined;
        page.hasFailed = true;
        this.#options.onTrouble(`The state of agent ${name} cannot be recorded`, error);
      })
      .finally(() => {
        page.writing = undefined;
      });
  }

  #isWorthWriting(page: Page): boolean {
    const now = this.#options.clock.elapsed();
    const mark = markOf(page, conditionOf(page.facts, now));
    // After a restart of the manager what the catalog says holds until more is known.
    if (mark.state === 'Unknown') return false;
    const { written, writtenAt, hasFailed, facts } = page;
    const passedMs = now - writtenAt;
    if (written === undefined) return !hasFailed || passedMs >= againMs;
    const isHeard = facts.heardAt !== undefined && facts.heardAt > writtenAt;
    return (isHeard && passedMs >= seenEveryMs) || !isSame(mark, written);
  }

  async #writeNow(page: Page): Promise<void> {
    const now = this.#options.clock.elapsed();
    const condition = conditionOf(page.facts, now);
    const content = contentOf(page, condition);
    page.written = markOf(page, condition);
    page.writtenAt = now;
    page.hasFailed = false;
    await changeAgent(this.#options.catalog, page.facts.name, ({ uid, spec, status }) => {
      if (uid !== page.uid) return { spec, status };
      const { failure: _, ...rest } = status;
      return { spec, status: { ...rest, ...content } };
    });
  }
}

function markOf({ facts, version, report }: Page, { state, failure }: AgentCondition): Mark {
  return { state, failure: failure?.message, version, hostname: facts.hostname, report };
}

function isSame(left: Mark, right: Mark): boolean {
  return (
    left.state === right.state &&
    left.failure === right.failure &&
    left.version === right.version &&
    left.hostname === right.hostname &&
    left.report === right.report
  );
}

function contentOf({ facts, version, report, seenAt }: Page, { state, failure }: AgentCondition) {
  return {
    state,
    ...(failure === undefined ? {} : { failure: describeFailure(failure) }),
    ...(version === undefined ? {} : { version }),
    ...(facts.hostname === undefined ? {} : { hostname: facts.hostname }),
    ...(seenAt === undefined ? {} : { lastSeenAt: isoTime(seenAt) }),
    ...report,
  };
}

/** The same object where nothing is new but that the database grew a little, as it does all the time. */
function newer(known: AgentReport | undefined, fresh: AgentReport): AgentReport {
  const dataBytes = known?.server?.dataBytes;
  const server = fresh.server;
  const isAlike = server !== undefined && dataBytes !== undefined && isLittleGrowth(dataBytes, server.dataBytes ?? 0);
  const compared = isAlike ? { ...fresh, server: { ...server, dataBytes } } : fresh;
  return known !== undefined && isDeepStrictEqual(compared, known) ? known : fresh;
}
