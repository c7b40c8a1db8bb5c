import type { JobProgress } from '../api/jobs.ts';
import type { RunKind } from '../api/resources.ts';

export interface ProgressEvent {
  readonly kind: RunKind;
  readonly name: string;
  readonly progress: JobProgress;
}

export type ProgressListener = (event: ProgressEvent) => void;

/** How far each run is that is under way, as it was heard last: fresher than the catalog, and gone with the process. */
export class ProgressHub {
  readonly #last = new Map<string, JobProgress>();
  readonly #listeners = new Set<ProgressListener>();

  /** The listener must not throw or wait. */
  subscribe(listener: ProgressListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Undefined for what does not run. */
  progressOf(kind: RunKind, name: string): JobProgress | undefined {
    return this.#last.get(keyOf(kind, name));
  }

  tell(event: ProgressEvent): void {
    this.#last.set(keyOf(event.kind, event.name), event.progress);
    for (const listener of this.#listeners) listener(event);
  }

  /** The run has ended. */
  forget(kind: RunKind, name: string): void {
    this.#last.delete(keyOf(kind, name));
  }
}

function keyOf(kind: RunKind, name: string): string {
  return `${kind}/${name}`;
}
