import { resourceKinds } from '../api/resources.ts';
import type { Change } from '../catalog/catalog.ts';
import { Failure } from '../lib/failure.ts';
import type { ControlContext } from './context.ts';
import { WorkQueue } from './queue.ts';
import { needsWork, Reconcilers } from './reconcilers.ts';

/** Most of them wait for an agent or a store at any time. */
const WORKERS = 256;
const RESYNC_MS = 600_000;
const AGAIN_MS = 1_000;

/**
 * Finds what is to be done: by watching the catalog, and by reading all of it now and then in case something was missed.
 * Nothing is remembered over a restart but what is in the catalog, at the agents and in the repositories.
 */
export class Loops implements AsyncDisposable {
  readonly #context: ControlContext;
  readonly #onChange: (change: Change) => void;
  readonly #ending = new AbortController();
  readonly #queue: WorkQueue;
  readonly #reconcilers: Reconcilers;
  #ended: Promise<unknown> = Promise.resolve();
  #isAdopted = false;

  private constructor(context: ControlContext, onChange: (change: Change) => void) {
    this.#context = context;
    this.#onChange = onChange;
    const { clock, onTrouble } = context;
    this.#reconcilers = new Reconcilers(context, (key) => this.#queue.add(key));
    this.#queue = new WorkQueue({
      work: async (key, signal) => this.#reconcilers.reconcile(key, signal),
      workers: WORKERS,
      clock,
      onTrouble,
    });
  }

  /** Resolves when the catalog has been read once. @param onChange hears of every resource, at first and when it changes */
  static async start(context: ControlContext, onChange: (change: Change) => void): Promise<Loops> {
    const loops = new Loops(context, onChange);
    const changes = context.catalog.watch({ signal: loops.#ending.signal });
    try {
      await loops.#readAll();
    } catch (error) {
      await loops[Symbol.asyncDispose]();
      throw error;
    }
    loops.#queue.start();
    loops.#ended = Promise.all([loops.#watch(changes), loops.#resync()]);
    return loops;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Failure('control-stopped', 'Cannot go on as the manager stops'));
    await this.#queue[Symbol.asyncDispose]();
    await this.#ended;
  }

  async #watch(first: AsyncIterable<Change>): Promise<void> {
    const { catalog, onTrouble } = this.#context;
    const { signal } = this.#ending;
    for (let changes = first; !signal.aborted;) {
      try {
        for await (const change of changes) this.#hear(change);
      } catch (error) {
        onTrouble('Changes in the catalog were missed; it is read again', error);
        await this.#sleep(AGAIN_MS);
      }
      if (signal.aborted) return;
      changes = catalog.watch({ signal });
      await this.#readAll().catch((error: unknown) => onTrouble('The catalog cannot be read', error));
    }
  }

  async #resync(): Promise<void> {
    for (;;) {
      await this.#sleep(RESYNC_MS);
      if (this.#ending.signal.aborted) return;
      await this.#readAll().catch((error: unknown) => this.#context.onTrouble('The catalog cannot be read', error));
    }
  }

  async #readAll(): Promise<void> {
    for (const kind of resourceKinds) {
      for await (const resource of this.#context.catalog.list(kind)) {
        if (this.#ending.signal.aborted) return;
        const change = { kind, name: resource.name, resource };
        if (needsWork(resource)) this.#hear(change);
        else this.#note(change);
        if (!this.#isAdopted) await this.#adopt(change);
      }
    }
    this.#isAdopted = true;
  }

  async #adopt({ kind, name, resource }: Change): Promise<void> {
    if (resource === undefined) return;
    try {
      await this.#reconcilers.adopt(resource);
    } catch (error) {
      // What it uses is gone from the catalog: nobody else can use it either.
      this.#context.onTrouble(`What ${kind} ${name} uses cannot be told`, error);
    }
  }

  #hear(change: Change): void {
    for (const key of this.#note(change)) this.#queue.add(key);
  }

  /** @returns the keys that it is about */
  #note(change: Change): string[] {
    this.#onChange(change);
    return this.#reconcilers.keysOf(change);
  }

  async #sleep(ms: number): Promise<void> {
    await this.#context.clock.sleep(ms, { signal: this.#ending.signal }).catch(() => undefined);
  }
}
