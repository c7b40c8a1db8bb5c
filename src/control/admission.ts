import type { RunKind } from '../api/resources.ts';

export interface RunRef {
  readonly kind: RunKind;
  readonly name: string;
  /** Of a backup. */
  readonly service?: string;
}

/** Something that only one run can use at a time. */
export interface Need {
  /** The same text for the same thing. */
  readonly key: string;
  /** What to tell of whoever has it, as a sentence. */
  readonly explain: (holder: RunRef) => string;
}

/**
 * Which runs may begin: those whose agent and folder nobody uses. Nothing in it waits, so no two runs take the same thing.
 * What it knows is gone with the process and comes from the catalog again: runs under way hold what they need.
 */
export class Admission {
  readonly #onFree: (run: RunRef) => void;
  readonly #holders = new Map<string, RunRef>();
  /** Who was refused and what it needs, the longest waiting first. */
  readonly #waiting = new Map<string, { readonly run: RunRef; readonly keys: ReadonlySet<string> }>();

  /** @param onFree is told who may try again */
  constructor(onFree: (run: RunRef) => void) {
    this.#onFree = onFree;
  }

  /** Takes all or nothing. @returns for whom the run waits, a sentence each; none means that it may begin */
  take(run: RunRef, needs: readonly Need[]): string[] {
    const reasons = needs.flatMap(({ key, explain }) => {
      const holder = this.#holders.get(key);
      return holder === undefined || isSame(holder, run) ? [] : [explain(holder)];
    });
    const self = textOf(run);
    if (reasons.length > 0) {
      if (!this.#waiting.has(self)) this.#waiting.set(self, { run, keys: new Set(needs.map(({ key }) => key)) });
      return reasons;
    }
    this.#waiting.delete(self);
    for (const { key } of needs) this.#holders.set(key, run);
    return [];
  }

  /** The run has ended or waits between two attempts. */
  release(run: RunRef): void {
    this.#waiting.delete(textOf(run));
    const freed = [...this.#holders].filter(([, holder]) => isSame(holder, run)).map(([key]) => key);
    for (const key of freed) this.#holders.delete(key);
    for (const each of this.#waiting.values()) {
      if (freed.some((key) => each.keys.has(key))) this.#onFree(each.run);
    }
  }
}

function isSame(one: RunRef, other: RunRef): boolean {
  return one.kind === other.kind && one.name === other.name;
}

function textOf({ kind, name }: RunRef): string {
  return `${kind}/${name}`;
}
