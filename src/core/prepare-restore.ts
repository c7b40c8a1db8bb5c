import type { Clock } from '../lib/clock.ts';
import { syncTree } from '../lib/sync-tree.ts';
import type { Engine } from '../engine/engine.ts';
import type { Sealed } from '../repository/documents.ts';
import type { Repository } from '../repository/repository.ts';
import { restoreFiles } from '../repository/restore-files.ts';
import { settleLogIndexes } from './log-index.ts';
import { type TableLink, takeOutTableLinks } from './table-links.ts';
import { readTablespaceList } from './tablespace-list.ts';

/** A step that is done and how long it took. */
export interface DoneStep {
  readonly name: string;
  readonly ms: number;
}

export interface StepProgress {
  readonly step: string;
  /** Bytes done and to do; undefined where a step cannot tell. */
  readonly bytes?: { readonly done: number; readonly total: number };
  readonly tables?: { readonly done: number; readonly total: number };
}

export interface PrepareRestoreOptions {
  readonly repository: Repository;
  /** Of the kind and series that made the backup. */
  readonly engine: Engine;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: StepProgress) => void;
  readonly onLog: (line: string) => void;
  /** For applying the redo log, bytes. */
  readonly memoryBytes?: number;
}

export interface PreparedRestore {
  readonly steps: readonly DoneStep[];
  /** What the backup says of tables that its server kept elsewhere. They are in the directory like all others. */
  readonly links: readonly TableLink[];
  /** Where its server had tablespaces that it says it has, and has not. */
  readonly absent: readonly string[];
}

/**
 * Fills an absent or empty directory with a backup's files, every block verified, makes them consistent, and syncs them. What
 * runs on the directory opens nothing outside it.
 */
export async function prepareRestore(
  sealed: Sealed,
  directory: string,
  options: PrepareRestoreOptions,
): Promise<PreparedRestore> {
  const { repository, engine, signal, onProgress, onLog, memoryBytes } = options;
  const steps = new Steps(options);
  await steps.run('download', async () => {
    const onBytes = (done: number, total: number): void => onProgress({ step: 'download', bytes: { done, total } });
    await restoreFiles(repository, sealed, { directory, signal, onProgress: onBytes });
  });
  // Before any program looks at the files: where the source of the backup runs on this host, they are its live tables.
  const links = await takeOutTableLinks(directory);
  await settleLogIndexes(directory);
  await steps.run('prepare', async () =>
    engine.prepare(directory, { signal, onLog, ...(memoryBytes === undefined ? {} : { memoryBytes }) }),
  );
  await steps.run('sync', async () => syncTree(directory));
  const listed = await readTablespaceList(directory);
  for (const path of listed.absent) onLog(`The backup lists ${path}, which its server had, and does not hold it`);
  return { steps: steps.done, links: [...links, ...listed.links], absent: listed.absent };
}

/** Runs named steps one after the other, tells of each as it begins, and keeps how long it took. */
export class Steps {
  readonly done: DoneStep[] = [];
  readonly #options: Pick<PrepareRestoreOptions, 'clock' | 'onProgress' | 'signal'>;

  constructor(options: Pick<PrepareRestoreOptions, 'clock' | 'onProgress' | 'signal'>) {
    this.#options = options;
  }

  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.runParts(async (begin) => {
      begin(name);
      return work();
    });
  }

  /** For work that says itself when each of its steps begins, which ends the one before. */
  async runParts<T>(work: (begin: (name: string) => void) => Promise<T>): Promise<T> {
    const { clock, onProgress, signal } = this.#options;
    signal.throwIfAborted();
    let current: { readonly name: string; readonly since: number } | undefined;
    const end = (): void => {
      if (current !== undefined)
        this.done.push({ name: current.name, ms: Math.round(clock.elapsed() - current.since) });
    };
    const result = await work((name) => {
      end();
      current = { name, since: clock.elapsed() };
      onProgress({ step: name });
    });
    end();
    return result;
  }
}
