import { closeSync, fsyncSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobOf } from '../api/jobs.ts';
import { isThere } from '../core/placement-files.ts';
import type { AgentContext } from './context.ts';

/**
 * Says on disk, before it happens, that a restore stops the server: whoever finds the mark after a crash knows that the server
 * must be brought back. The record of the job is written a moment later than that. It stays until the server is known to run.
 */
export class StopMarker {
  readonly #path: string;

  constructor({ config }: AgentContext, { id }: Pick<JobOf<'restore'>, 'id'>) {
    this.#path = join(config.stateDirectory, `stopping-${id}`);
  }

  /** Synchronous, as what follows must not begin before. */
  set(): void {
    const file = openSync(this.#path, 'w', 0o600);
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  async isSet(): Promise<boolean> {
    return isThere(this.#path);
  }

  async clear(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
