import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:http';
import { Socket } from 'node:net';
import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { AgentReport } from '../api/enrol.ts';
import { EnrolClient } from '../api/enrol-client.ts';
import type { Clock } from '../lib/clock.ts';
import { Failure } from '../lib/failure.ts';
import { type JoinedManager, readJoinedManager } from './manager-file.ts';
import type { Reporter } from './report.ts';
import { TunnelKeeper } from './tunnel-keeper.ts';

export interface ManagerLinkOptions {
  readonly stateDirectory: string;
  /** Of this program. */
  readonly version: string;
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** Answers a request of the agent's API. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
  /** The agent's own. */
  readonly log: { info(message: string): void; warn(message: string): void };
  /** From one heartbeat to the next. Default 50,000. */
  readonly beatEveryMs?: number;
}

/** After 90 seconds without one the manager calls the agent lost: two may fail, each after ten seconds of trying. */
const defaultBeatEveryMs = 50_000;
/** After one that failed; longer each time, as a thousand agents may wait for the same manager. */
const againMs = 5_000;
const longestAgainMs = 30_000;
/** How soon the manager is told that the server went up or down. */
const newsEveryMs = 20_000;
/** How soon it is noticed that the agent joined a manager. */
const lookEveryMs = 5_000;
const soonMs = 1_000;

/** Stays in touch with the manager that the agent joined, if it did: heartbeats, and connections where it dials out. */
export class ManagerLink implements AsyncDisposable {
  readonly #options: ManagerLinkOptions;
  readonly #ending = new AbortController();
  readonly #server: Server;
  readonly #loop: Promise<void>;
  #line: Line | undefined;
  /** Monotonic: when the manager is to hear from this agent, also where nothing is new. */
  #dueAt = 0;
  #failures = 0;
  #lastTrouble = '';
  #pausing = new AbortController();

  constructor(options: ManagerLinkOptions) {
    this.#options = options;
    // The manager is trusted with how long it takes: it holds these connections for hours.
    const noLimits = { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 };
    this.#server = createServer(noLimits, (request, response) => {
      this.#line?.keeper?.used(request.socket);
      options.answer(request, response);
    });
    this.#loop = this.#run(this.#ending.signal);
  }

  /** Something happened that may be news to the manager: the host is looked at now rather than in a while. */
  look(): void {
    this.#options.reporter.lookAnew();
    this.#pausing.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Failure('agent-stopped', 'Cannot go on as the agent ends'));
    await this.#loop;
    await this.#hangUp();
    this.#server.closeAllConnections();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#pausing = new AbortController();
      const pauseMs = await this.#beat(signal);
      const until = AbortSignal.any([signal, this.#pausing.signal]);
      await this.#options.clock.sleep(pauseMs, { signal: until }).catch(() => undefined);
    }
  }

  /** @returns the pause after it */
  async #beat(signal: AbortSignal): Promise<number> {
    const { beatEveryMs = defaultBeatEveryMs, clock, reporter, stateDirectory } = this.#options;
    // Spread, so that the heartbeats of a fleet that was started at once do not come at once.
    const spread = 0.9 + 0.2 * Math.random();
    try {
      await this.#follow(await readJoinedManager(stateDirectory));
      if (this.#line === undefined) return Math.min(lookEveryMs, beatEveryMs);
      const report = await reporter.news();
      const isDue = report !== undefined || clock.elapsed() >= this.#dueAt;
      if (isDue) {
        const wantsReport = await this.#send(this.#line, { report, signal });
        this.#told('');
        this.#failures = 0;
        if (wantsReport) return Math.min(soonMs, beatEveryMs);
        this.#dueAt = clock.elapsed() + beatEveryMs * spread;
      }
      return Math.min(newsEveryMs, this.#dueAt - clock.elapsed());
    } catch (error) {
      if (!signal.aborted) this.#told(textOf(error));
      this.#dueAt = 0;
      this.#failures += 1;
      // Twice soon, so that the manager does not miss it.
      const pauseMs = Math.min(againMs, beatEveryMs / 3) * 2 ** Math.max(0, this.#failures - 2);
      return Math.min(pauseMs, longestAgainMs, beatEveryMs) * spread;
    }
  }

  /** @returns does the manager want the report, soon? */
  async #send(
    { client }: Line,
    { report, signal }: { readonly report: AgentReport | undefined; readonly signal: AbortSignal },
  ): Promise<boolean> {
    const { reporter, version } = this.#options;
    const news = report === undefined ? {} : { report };
    const { wantsReport } = await client.heartbeat({ version, hostname: hostname(), ...news }, { signal });
    if (wantsReport) reporter.told(undefined);
    else if (report !== undefined) reporter.told(report);
    return wantsReport;
  }

  /** The file may tell of another manager, or of a new credential, than a moment ago. */
  async #follow(joined: JoinedManager | undefined): Promise<void> {
    if (isDeepStrictEqual(joined, this.#line?.joined)) return;
    await this.#hangUp();
    if (joined === undefined) return;
    this.#options.reporter.told(undefined);
    this.#dueAt = 0;
    const client = new EnrolClient(joined);
    this.#line = { joined, client, keeper: joined.connection === 'dials' ? this.#dialOut(client) : undefined };
    this.#options.log.info(`This agent is ${joined.name} of the manager at ${client.url.origin}`);
  }

  #dialOut(client: EnrolClient): TunnelKeeper {
    return new TunnelKeeper({
      open: async ({ signal }) => asSocket(await client.openTunnel({ signal })),
      serve: (socket) => void this.#server.emit('connection', socket),
      clock: this.#options.clock,
      onTrouble: (error) => this.#told(textOf(error)),
    });
  }

  async #hangUp(): Promise<void> {
    const line = this.#line;
    this.#line = undefined;
    await line?.keeper?.[Symbol.asyncDispose]();
    line?.client[Symbol.dispose]();
  }

  /** Each trouble is told once, and that it is over. */
  #told(trouble: string): void {
    if (trouble === this.#lastTrouble) return;
    this.#lastTrouble = trouble;
    this.#options.log.warn(
      trouble === '' ? 'The manager hears this agent' : `The manager does not hear this agent: ${trouble}`,
    );
  }
}

interface Line {
  readonly joined: JoinedManager;
  readonly client: EnrolClient;
  readonly keeper: TunnelKeeper | undefined;
}

function asSocket(connection: unknown): Socket {
  if (connection instanceof Socket) return connection;
  throw new TypeError('a connection that is no socket');
}

function textOf(error: unknown): string {
  if (!(error instanceof Failure)) return String(error);
  return error.nextStep === undefined ? error.message : `${error.message}. ${error.nextStep}`;
}
