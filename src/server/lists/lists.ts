import type { ResourceKind } from '../../api/resources.ts';
import type { Catalog, Change } from '../../catalog/catalog.ts';
import type { Clock } from '../../lib/clock.ts';
import { Failure } from '../../lib/failure.ts';
import type { ListPage, ListQuery } from './list-table.ts';
import { ReadModel } from './read-model.ts';

export interface ListsOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Told of each change once lists show it. Must not throw or wait. */
  readonly onChange: (change: Change) => void;
  /** Changes were lost; lists were read anew. */
  readonly onResync: () => void;
  readonly onTrouble: (message: string, error: unknown) => void;
}

const retryAfterMs = 1_000;

/** Lists that follow the catalog: filled when it starts, again whenever changes were lost. */
export class Lists implements AsyncDisposable {
  readonly #options: ListsOptions;
  readonly #ending = new AbortController();
  readonly #filled = Promise.withResolvers<void>();
  readonly #following: Promise<void>;
  #model: ReadModel | undefined;

  constructor(options: ListsOptions) {
    this.#options = options;
    this.#following = this.#follow();
    // Nobody may be waiting for it.
    this.#filled.promise.catch(() => undefined);
  }

  /** Waits until they are filled for the first time. */
  async page(kind: ResourceKind, query: ListQuery): Promise<ListPage> {
    await this.#filled.promise;
    if (this.#model === undefined) throw this.#ending.signal.reason;
    return this.#model.page(kind, query);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Failure('lists-ended', 'Cannot list as the manager ends'));
    await this.#following;
    this.#filled.reject(this.#ending.signal.reason);
    this.#model?.[Symbol.dispose]();
    this.#model = undefined;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        await this.#followOnce();
      } catch (error) {
        if (signal.aborted) return;
        this.#options.onTrouble('Lists are read again', error);
        await this.#options.clock.sleep(retryAfterMs, { signal }).catch(() => undefined);
      }
    }
  }

  async #followOnce(): Promise<void> {
    const { catalog, onChange, onResync } = this.#options;
    const watching = new AbortController();
    const signal = AbortSignal.any([this.#ending.signal, watching.signal]);
    try {
      const changes = catalog.watch({ signal });
      const model = await this.#filledModel(signal);
      onResync();
      for await (const change of changes) {
        model.apply(change);
        onChange(change);
      }
    } finally {
      watching.abort();
    }
  }

  /** The old one is shown until then. */
  async #filledModel(signal: AbortSignal): Promise<ReadModel> {
    using stack = new DisposableStack();
    const model = stack.use(new ReadModel());
    await model.fill(this.#options.catalog, { signal });
    stack.move();
    this.#model?.[Symbol.dispose]();
    this.#model = model;
    this.#filled.resolve();
    return model;
  }
}
