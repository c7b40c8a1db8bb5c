import type { Resource } from '../api/resources.ts';
import { Failure } from '../lib/failure.ts';
import type { Change } from './catalog.ts';

/** Resources of which a watcher may hold a change that it did not take yet. */
const DEFAULT_LIMIT = 50_000;

/** Tells every watcher of every change, in order. Changes of one resource that a watcher did not take yet become one. */
export class ChangeFeed {
  readonly #limit: number;
  readonly #watchers = new Set<Watcher>();

  constructor({ limit = DEFAULT_LIMIT }: { readonly limit?: number } = {}) {
    this.#limit = limit;
  }

  publish(change: Change): void {
    for (const watcher of this.#watchers) watcher.push(change);
  }

  /** Watching begins with this call, not with the first read. */
  watch(signal: AbortSignal): AsyncIterable<Change> {
    const watcher = new Watcher(this.#limit);
    const end = (): void => {
      this.#watchers.delete(watcher);
      watcher.end();
    };
    if (signal.aborted) watcher.end();
    else {
      this.#watchers.add(watcher);
      signal.addEventListener('abort', end, { once: true });
    }
    return read(watcher, () => {
      signal.removeEventListener('abort', end);
      end();
    });
  }

  /** Ends every watcher. */
  close(): void {
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
  }
}

class Watcher {
  readonly #limit: number;
  #waiting = new Map<string, Change>();
  #isLost = false;
  #isEnded = false;
  #wake = Promise.withResolvers<void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(change: Change): void {
    const key = `${change.kind}/${change.name}`;
    // Taken out first, so that changes stand in the order of their last ones.
    this.#waiting.delete(key);
    if (this.#waiting.size >= this.#limit) {
      this.#isLost = true;
      this.#waiting.clear();
    } else if (!this.#isLost) this.#waiting.set(key, change);
    this.#wake.resolve();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake.resolve();
  }

  /** @returns undefined at the end */
  async take(): Promise<readonly Change[] | undefined> {
    for (;;) {
      if (this.#isEnded) return undefined;
      if (this.#isLost)
        throw new Failure(
          'changes-lost',
          'Cannot go on watching the catalog as changes were lost: they came faster than they were taken',
        );
      if (this.#waiting.size > 0) return this.#takeAll();
      await this.#wake.promise;
    }
  }

  #takeAll(): readonly Change[] {
    const changes = [...this.#waiting.values()];
    this.#waiting = new Map();
    this.#wake = Promise.withResolvers();
    return changes;
  }
}

async function* read(watcher: Watcher, close: () => void): AsyncGenerator<Change, void, undefined> {
  try {
    for (;;) {
      const changes = await watcher.take();
      if (changes === undefined) return;
      yield* changes;
    }
  } finally {
    close();
  }
}

/** Undefined as `resource` means that it was removed. */
export function changeOf({ kind, name }: Pick<Resource, 'kind' | 'name'>, resource: Resource | undefined): Change {
  return { kind, name, resource };
}
