import { Agent } from 'node:http';
import { type Duplex, PassThrough } from 'node:stream';
import { tunnelLimit } from '../../api/enrol.ts';
import type { Failure } from '../../lib/failure.ts';
import { notDialled } from './agent-state.ts';

/** While one that broke is not known to be gone, the agent opens the next one; more than this is a fault, or malice. */
const maximumTunnels = 2 * tunnelLimit;
const waitMs = 10_000;

/** Connections that agents opened and on which the manager asks, of all agents that dial out. */
export class Tunnels implements Disposable {
  readonly #pools = new Map<string, TunnelPool>();
  readonly #onChange: (name: string) => void;
  #isClosed = false;

  /** @param onChange told when an agent's first connection opens, or its last one is gone */
  constructor(onChange: (name: string) => void = () => undefined) {
    this.#onChange = onChange;
  }

  /** Takes over a connection. @returns false where the agent has too many already, or the manager ends */
  accept(name: string, socket: Duplex): boolean {
    const pool = this.#pool(name);
    if (this.#isClosed || pool.open >= maximumTunnels) return false;
    pool.add(socket);
    return true;
  }

  isOpen(name: string): boolean {
    return (this.#pools.get(name)?.open ?? 0) > 0;
  }

  /** For requests to this agent; it outlives its connections. */
  connections(name: string): Agent {
    return this.#pool(name);
  }

  /** Closes all connections of an agent. */
  drop(name: string): void {
    this.#pools.get(name)?.destroy();
    this.#pools.delete(name);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const name of this.#pools.keys()) this.drop(name);
  }

  #pool(name: string): TunnelPool {
    const found = this.#pools.get(name);
    if (found !== undefined) return found;
    const pool = new TunnelPool(name, () => this.#onChange(name));
    this.#pools.set(name, pool);
    return pool;
  }
}

type Taker = (error: Failure | null, socket: Duplex) => void;
/** Goes with an error; nobody looks at it. */
const nobody = new PassThrough();

/** Connections that wait to be used; one that was used is kept for the next request, as HTTP does. */
class TunnelPool extends Agent {
  readonly #name: string;
  readonly #onChange: () => void;
  readonly #all = new Set<Duplex>();
  readonly #idle: Duplex[] = [];
  readonly #takers: Taker[] = [];

  constructor(name: string, onChange: () => void) {
    // After many requests at once one is kept for the next, beside the one that the agent always has waiting.
    super({ keepAlive: true, maxSockets: tunnelLimit, maxFreeSockets: 1 });
    this.#name = name;
    this.#onChange = onChange;
  }

  get open(): number {
    return this.#all.size;
  }

  add(socket: Duplex): void {
    this.#all.add(socket);
    // A connection that breaks while nobody uses it is just gone.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#remove(socket));
    const taker = this.#takers.shift();
    if (taker === undefined) this.#idle.push(socket);
    else taker(null, socket);
    if (this.#all.size === 1) this.#onChange();
  }

  override createConnection(_: unknown, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    const done: Taker = (error, stream) => callback?.(error, stream);
    const socket = this.#idle.shift();
    if (socket !== undefined) done(null, socket);
    else if (this.#all.size === 0) done(notDialled(this.#name), nobody);
    else this.#wait(done);
    return undefined;
  }

  override destroy(): void {
    super.destroy();
    for (const taker of this.#takers.splice(0)) taker(notDialled(this.#name), nobody);
    for (const socket of this.#all) socket.destroy();
  }

  /** The agent opens another one as soon as one is taken. */
  #wait(done: Taker): void {
    const taker: Taker = (error, socket) => {
      clearTimeout(limit);
      done(error, socket);
    };
    const limit = setTimeout(() => {
      this.#takers.splice(this.#takers.indexOf(taker), 1);
      done(notDialled(this.#name), nobody);
    }, waitMs);
    this.#takers.push(taker);
  }

  #remove(socket: Duplex): void {
    this.#all.delete(socket);
    const at = this.#idle.indexOf(socket);
    if (at !== -1) this.#idle.splice(at, 1);
    if (this.#all.size > 0) return;
    for (const taker of this.#takers.splice(0)) taker(notDialled(this.#name), nobody);
    this.#onChange();
  }
}
