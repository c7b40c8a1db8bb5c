import { isDeepStrictEqual } from 'node:util';
import type { ServerInfo } from '../api/agent.ts';
import type { AgentReport } from '../api/enrol.ts';
import type { Clock } from '../lib/clock.ts';

export interface ReporterOptions {
  readonly clock: Pick<Clock, 'elapsed'>;
  /** Looks at everything: tools, server, size of its files. */
  readonly read: () => Promise<ServerInfo>;
  /** Does the server answer? Undefined where there is none. Cheap. */
  readonly isUp: () => Promise<boolean | undefined>;
}

/** The tools and the size of a database change slowly, and looking at them costs. */
const readEveryMs = 600_000;

/** What the manager is told of the host: all of it now and then, and at once when the server goes up or down. */
export class Reporter {
  readonly #options: ReporterOptions;
  #report: AgentReport | undefined;
  #readAt = 0;
  #isStale = true;
  #told: AgentReport | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** The report, if the manager does not have it yet. */
  async news(): Promise<AgentReport | undefined> {
    const { clock, read, isUp } = this.#options;
    const isFresh = !this.#isStale && clock.elapsed() - this.#readAt < readEveryMs;
    if (!isFresh || (await isUp()) !== this.#report?.server?.isUp) {
      // Unless something happens meanwhile.
      this.#isStale = false;
      try {
        this.#report = reportOf(await read());
      } catch (error) {
        this.#isStale = true;
        throw error;
      }
      this.#readAt = clock.elapsed();
    }
    return isDeepStrictEqual(this.#report, this.#told) ? undefined : this.#report;
  }

  /** Something happened that may have changed more than whether the server answers. */
  lookAnew(): void {
    this.#isStale = true;
  }

  /** The manager has this one now; undefined: it has none. */
  told(report: AgentReport | undefined): void {
    this.#told = report;
  }
}

function reportOf({ database, engines, locations, managedLocations, ...allowed }: ServerInfo): AgentReport {
  const { restoreDirectories, mayRestoreInPlace } = allowed;
  return {
    ...(database === undefined ? {} : { server: serverOf(database) }),
    engines,
    locations,
    managedLocations,
    restoreDirectories,
    mayRestoreInPlace,
  };
}

function serverOf(database: NonNullable<ServerInfo['database']>): NonNullable<AgentReport['server']> {
  if (!database.isUp) return { isUp: false };
  const { isUp, vendor, version, identity, lineage, dataDirectory, dataBytes } = database;
  return { isUp, vendor, version, identity, lineage, dataDirectory, ...(dataBytes === undefined ? {} : { dataBytes }) };
}
