import type { SqlConnection } from '../core/scratch-server.ts';
import type { Engine, Finding, ServerConnection, ServerFacts } from '../engine/engine.ts';
import type { Failure } from '../lib/failure.ts';
import type { Storage } from '../storage/storage.ts';
import type { S3Credentials } from './credentials-file.ts';

export interface Abortable {
  readonly signal: AbortSignal;
}

export interface StoreWish {
  /** As the agent's file names it, e.g. `s3://bucket/prefix`. */
  readonly location: string;
  /** Below it; names with `/` between them. */
  readonly folder: string | undefined;
  readonly credentials: S3Credentials | undefined;
  /** Make the directory of a directory store when it is not there. */
  readonly mayCreate: boolean;
}

/** What the agent needs of its host and of the adapters. Only the composition root knows which they are. */
export interface Host {
  /** @throws InvalidRequest when the folder leads out of the location */
  openStore(wish: StoreWish): Promise<Storage & AsyncDisposable>;
  /**
   * May a location be used that lies at or below one of these, after symbolic links? `*` allows any.
   * @throws InvalidRequest for text that is no location
   */
  allows(location: string, allowed: readonly string[]): Promise<boolean>;
  /** Tries every verb of a store. */
  probe(storage: Storage, options: Abortable): Promise<{ conditionalPut: boolean; failures: readonly Failure[] }>;
  readServerFacts(server: ServerConnection, options: Abortable): Promise<ServerFacts>;
  findEngines(options: Abortable): Promise<{ engines: readonly Engine[]; findings: readonly Finding[] }>;
  /** The engine for a server, also for one that a backup was taken of. */
  chooseEngine(
    server: Pick<ServerFacts, 'vendor' | 'version'>,
    engines: readonly Engine[],
  ): { engine: Engine | undefined; findings: readonly Finding[] };
  /** The option files of the server with this data directory, without secrets. */
  optionFiles(dataDirectory: string, options: Abortable): Promise<readonly { path: string; text: string }[]>;
  connect(server: ServerConnection, options: Abortable & { timeoutMs?: number }): Promise<SqlConnection>;
  /** What a killed process left of the private files of its tools. */
  removePrivateLeftovers(): Promise<void>;
}
