import { chooseEngine } from '../../src/engine/choose-engine.ts';
import { findEngines } from '../../src/engine/find-engines.ts';
import type { Engine, ServerConnection } from '../../src/engine/engine.ts';
import { readServerFacts } from '../../src/engine/server-facts.ts';
import { takeBackup } from '../../src/core/take-backup.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Sealed } from '../../src/repository/documents.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { openRepository } from '../../src/repository/repository.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { neverAborted } from './repositories.ts';
import { slowStorage } from './slow-storage.ts';

/** One attempt at a backup, as text so that another process can be told to make it. */
export interface BackupOrder {
  readonly repository: string;
  /** Hexadecimal; a key file's, as a passphrase takes a third of a second. */
  readonly key: string;
  readonly server: ServerConnection;
  /** Folders of the tools. */
  readonly path: string;
  readonly backup: string;
  readonly lineage: string;
  /** Of each call of the store, milliseconds. */
  readonly delayMs: number;
}

export type BackupEvent =
  | { readonly event: 'step'; readonly step: RunStep }
  | { readonly event: 'adoptable'; readonly segments: number }
  | { readonly event: 'sealed'; readonly uploadedBytes: number }
  | { readonly event: 'failed'; readonly code: string; readonly message: string };

/** The steps of a backup as they can be seen from outside; `locked` is copying while every commit waits. */
export const runSteps = ['starting', 'copying', 'locked', 'uploading', 'sealing'] as const;
export type RunStep = (typeof runSteps)[number];

/** Small segments and frames: even a small database makes dozens of them. */
const tuning = { segmentBytes: 128 << 10, frameBytes: 32 << 10, compressions: 2, uploads: 2 };

export async function openForRun({ repository, key, delayMs }: BackupOrder): Promise<Repository> {
  const storage = slowStorage(new DirectoryStorage(repository), delayMs);
  const unlock = { kind: 'key-file', bytes: Buffer.from(key, 'hex') } as const;
  return openRepository(storage, { clock: systemClock, signal: neverAborted, unlock });
}

export async function engineFor(order: Pick<BackupOrder, 'server' | 'path'>): Promise<Engine> {
  const facts = await readServerFacts(order.server, { signal: neverAborted });
  const { engines } = await findEngines({ path: order.path, signal: neverAborted });
  const { engine } = chooseEngine(facts, engines);
  if (!engine) throw new Error(`no engine for ${facts.version} on ${order.path}`);
  return engine;
}

/** Makes the attempt and tells of every step as it begins. @throws what the attempt throws */
export async function runBackup(
  order: BackupOrder,
  given: { repository: Repository; engine: Engine; onEvent: (event: BackupEvent) => void },
): Promise<Sealed> {
  const { repository, engine, onEvent } = given;
  let now: RunStep | undefined;
  const enter = (step: RunStep): void => {
    if (now === step || (now === 'locked' && step === 'copying')) return;
    now = step;
    onEvent({ event: 'step', step });
  };
  enter('starting');
  const serverFacts = await readServerFacts(order.server, { signal: neverAborted });
  const request = {
    backup: order.backup,
    lineage: order.lineage,
    service: 'db',
    name: 'killed',
    writer: 'test',
    level: 1,
    tuning,
    server: order.server,
    serverFacts,
    configuration: [],
  };
  return takeBackup(request, {
    repository,
    engine,
    clock: systemClock,
    program: 'holdfast test',
    signal: neverAborted,
    onProgress: ({ step }) => enter(step),
    onLog: (line) => {
      if (/BACKUP STAGE BLOCK_COMMIT/.test(line)) enter('locked');
      if (line.startsWith('holdfast: backup '))
        onEvent({ event: 'adoptable', segments: Number(/(\d+) segments of earlier/.exec(line)?.[1] ?? 0) });
    },
  });
}
