import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { type Job, type JobKind, jobSchema } from '../api/jobs.ts';
import { isMissing, type PlacementFiles, readSmallFile, systemFiles } from '../core/placement-files.ts';
import { Failure } from '../lib/failure.ts';

const recordSchema = z.object({ version: z.literal(1), job: jobSchema });
const maximumBytes = 32 * 1024 * 1024;

export type StateFiles = Pick<PlacementFiles, 'writeDurably' | 'unlink'>;

/** A file of the store that holds no job; it was set aside. */
export interface DamagedRecord {
  readonly path: string;
  readonly why: string;
}

/** One file for each job: `<kind>.<id>.json`, replaced as a whole and durable before a write resolves. */
export class JobStore {
  readonly directory: string;
  readonly #files: StateFiles;

  private constructor(directory: string, files: StateFiles) {
    this.directory = directory;
    this.#files = files;
  }

  static async open(directory: string, files: StateFiles = systemFiles): Promise<JobStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new JobStore(directory, files);
  }

  /** Every job there is a record of, oldest first. A record that cannot be read is renamed and told of, never a reason to stop. */
  async load(): Promise<{ jobs: Job[]; damaged: DamagedRecord[] }> {
    const jobs: Job[] = [];
    const damaged: DamagedRecord[] = [];
    for (const name of await readdir(this.directory)) {
      if (!name.endsWith('.json') || name.startsWith('.')) continue;
      const path = join(this.directory, name);
      const found = await readRecord(path);
      if ('job' in found) jobs.push(found.job);
      else damaged.push(await setAside(path, found.why));
    }
    return { jobs: jobs.toSorted((left, right) => left.startedAt.localeCompare(right.startedAt)), damaged };
  }

  /** @throws Failure `agent-state-not-written` */
  async write(job: Job): Promise<void> {
    try {
      await this.#files.writeDurably(this.#path(job), `${JSON.stringify({ version: 1, job })}\n`);
    } catch (cause) {
      throw new Failure(
        'agent-state-not-written',
        `Cannot record the ${job.kind} ${job.id} as its file cannot be written: ${this.directory}`,
        {
          cause,
          nextStep: "Check that the file system of the agent's state directory has room and is writable.",
        },
      );
    }
  }

  async remove(job: { readonly kind: JobKind; readonly id: string }): Promise<void> {
    await this.#files.unlink(this.#path(job)).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }

  #path({ kind, id }: { readonly kind: JobKind; readonly id: string }): string {
    return join(this.directory, `${kind}.${id}.json`);
  }
}

async function readRecord(path: string): Promise<{ job: Job } | { why: string }> {
  const text = await readSmallFile(path, maximumBytes);
  if (text === undefined) return { why: 'it is no file or too long' };
  try {
    return { job: recordSchema.parse(JSON.parse(text)).job };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

async function setAside(path: string, why: string): Promise<DamagedRecord> {
  const aside = `${path}.damaged`;
  await rename(path, aside);
  return { path: aside, why };
}
