import { type Clock, systemClock } from '../lib/clock.ts';
import { Failure } from '../lib/failure.ts';
import type { ServerConnection } from './engine.ts';
import { Sql } from './sql.ts';

export interface ServerWatchOptions {
  readonly signal: AbortSignal;
  /** Called once, when the server is gone or is no longer the one that was there. */
  readonly onLost: (failure: Failure) => void;
  readonly onLog: (line: string) => void;
  readonly clock?: Clock;
}

const pingEveryMs = 1_000;
/** How long a broken connection is tried to be made again before the server counts as gone. */
const reconnectWithinMs = 3_000;
const reconnectEveryMs = 250;
/** Servers tell whole seconds by the clock on the wall, which may be set back a little. */
const uptimeSlackSeconds = 3;

/**
 * Notices that the server died or was replaced within seconds: the tools themselves notice only after they copied all
 * files. A server that is merely slow to answer, or out of connections, is not lost.
 */
export class ServerWatch implements AsyncDisposable {
  readonly #server: ServerConnection;
  readonly #options: ServerWatchOptions;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #loop: Promise<void>;
  #sql: Sql;
  /** What the server said of itself last, and when by the monotonic clock. */
  #seen: { readonly uptime: number; readonly at: number } | undefined;

  private constructor(server: ServerConnection, sql: Sql, options: ServerWatchOptions) {
    this.#server = server;
    this.#sql = sql;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.#loop = this.#watch();
  }

  /** Throws what `Sql.connect` throws: a wrong password shows before any tool is started. */
  static async start(server: ServerConnection, options: ServerWatchOptions): Promise<ServerWatch> {
    return new ServerWatch(server, await Sql.connect(server, { signal: options.signal }), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await this.#sql[Symbol.asyncDispose]();
  }

  async #watch(): Promise<void> {
    try {
      while (!this.#signal.aborted) {
        const failure = await this.#check();
        if (failure) return this.#options.onLost(failure);
        await this.#clock.sleep(pingEveryMs, { signal: this.#signal });
      }
    } catch (error) {
      if (!this.#signal.aborted) this.#options.onLog(`holdfast: the watch on the server ended: ${String(error)}`);
    }
  }

  async #check(): Promise<Failure | undefined> {
    try {
      // Whoever is at the other end of an unbroken connection is who was there before.
      this.#seen = { uptime: await this.#uptime(), at: this.#clock.elapsed() };
      return undefined;
    } catch (error) {
      if (this.#signal.aborted) return undefined;
      this.#options.onLog(`holdfast: the connection that watches the server broke: ${messageOf(error)}`);
      return this.#reconnect();
    }
  }

  async #reconnect(): Promise<Failure | undefined> {
    const until = this.#clock.elapsed() + reconnectWithinMs;
    for (;;) {
      try {
        const sql = await Sql.connect(this.#server, { signal: this.#signal, timeoutMs: reconnectWithinMs });
        await this.#sql[Symbol.asyncDispose]();
        this.#sql = sql;
        return this.#compare(await this.#uptime());
      } catch (error) {
        if (this.#signal.aborted || answers(error)) return undefined;
        if (this.#clock.elapsed() >= until) return lost('does not answer any more', messageOf(error), error);
      }
      await this.#clock.sleep(reconnectEveryMs, { signal: this.#signal });
    }
  }

  async #uptime(): Promise<number> {
    const [row] = await this.#sql.query("SHOW GLOBAL STATUS LIKE 'Uptime'");
    return Number(row?.['Value'] ?? Number.NaN);
  }

  #compare(uptime: number): Failure | undefined {
    if (this.#seen === undefined) return undefined;
    const expected = this.#seen.uptime + (this.#clock.elapsed() - this.#seen.at) / 1000;
    if (uptime >= expected - uptimeSlackSeconds) return undefined;
    return lost('was started anew', `up for ${uptime} s, where ${Math.floor(expected)} s were expected`);
  }
}

/** A server that refuses a connection, or takes its time, is there. */
function answers(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return code.startsWith('ER_') || code === 'ETIMEDOUT' || code === 'PROTOCOL_SEQUENCE_TIMEOUT';
}

function lost(what: string, now: string, cause?: unknown): Failure {
  return new Failure('server-lost', `Cannot back up the server as it ${what}: ${now}`, {
    cause,
    nextStep: "Check the server's error log, and run the backup again when it is up.",
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
