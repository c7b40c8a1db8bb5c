import type { Socket } from 'node:net';
import { tunnelLimit } from '../api/enrol.ts';
import type { Clock } from '../lib/clock.ts';

export interface TunnelKeeperOptions {
  readonly open: (options: { readonly signal: AbortSignal }) => Promise<Socket>;
  /** Lets the manager ask on it. */
  readonly serve: (socket: Socket) => void;
  readonly clock: Clock;
  /** Told each time that none could be opened. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Connections on which nothing was asked yet: the next request finds one at once. One that was answered does not count, as it
 * is not known when the manager sees the answer. Each costs the manager 50 kB.
 */
const wantedIdle = 1;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** A manager that is gone without a word is found by the kernel: after this silence it asks, and soon gives up. */
const keepAliveMs = 15_000;

/** Keeps connections to the manager open for an agent that dials out. */
export class TunnelKeeper implements AsyncDisposable {
  readonly #options: TunnelKeeperOptions;
  readonly #open = new Set<Socket>();
  readonly #idle = new Set<Socket>();
  readonly #ending = new AbortController();
  #wake = Promise.withResolvers<void>();
  readonly #loop: Promise<void>;

  constructor(options: TunnelKeeperOptions) {
    this.#options = options;
    this.#loop = this.#keep();
  }

  /** Something was asked on this connection. */
  used(socket: Socket): void {
    if (this.#idle.delete(socket)) this.#wake.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    this.#wake.resolve();
    for (const socket of this.#open) socket.destroy();
    await this.#loop;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#ending;
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      if (this.#idle.size >= wantedIdle || this.#open.size >= tunnelLimit) {
        await this.#wake.promise;
        continue;
      }
      const isOpen = await this.#openOne(signal);
      if (isOpen) pauseMs = firstPauseMs;
      else {
        await this.#pause(pauseMs, signal);
        pauseMs = Math.min(longestPauseMs, pauseMs * 2);
      }
    }
  }

  async #openOne(signal: AbortSignal): Promise<boolean> {
    const { open, serve, onTrouble } = this.#options;
    try {
      const socket = await open({ signal });
      if (signal.aborted) socket.destroy();
      this.#open.add(socket);
      this.#idle.add(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        this.#idle.delete(socket);
        this.#wake.resolve();
      });
      // Those that wait to be used are silent for long, which whoever opened it may have limited.
      socket.setKeepAlive(true, keepAliveMs).setNoDelay(true).setTimeout(0);
      serve(socket);
      return true;
    } catch (error) {
      if (!signal.aborted) onTrouble(error);
      return false;
    }
  }

  /** A thousand agents whose manager comes back do not all come at once. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(ms * (0.5 + Math.random()), { signal }).catch(() => undefined);
  }
}
