import { hash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { ServerFacts } from '../engine/engine.ts';

/** A data directory that a restore made, until it is seen under another server's identity. */
const bindingSchema = z.object({ lineage: z.string(), identity: z.string().optional() });
const bindingsSchema = z.record(z.string(), bindingSchema);
type Bindings = z.infer<typeof bindingsSchema>;

/**
 * The lineage of a data directory says which earlier backup a new one is compared with. It is only a hint: blocks are told
 * apart by their content. Without a record it follows from what the server says of itself, so that nothing need be kept for
 * it; a restore records that the directory it made goes on with the lineage of the backup.
 */
export class Lineages {
  readonly #file: string;
  readonly #directory: string;

  /** @param stateDirectory is created when something is to be recorded. */
  constructor(stateDirectory: string) {
    this.#directory = stateDirectory;
    this.#file = join(stateDirectory, 'lineages.json');
  }

  async of(server: Pick<ServerFacts, 'vendor' | 'identity' | 'dataDirectory'>): Promise<string> {
    const bindings = await this.#read();
    const binding = bindings[server.dataDirectory];
    if (!binding) return derivedLineage(server);
    if (binding.identity === undefined)
      await this.#write({ ...bindings, [server.dataDirectory]: { ...binding, identity: server.identity } });
    return binding.identity === undefined || binding.identity === server.identity
      ? binding.lineage
      : derivedLineage(server);
  }

  async adopt(dataDirectory: string, lineage: string): Promise<void> {
    await this.#write({ ...(await this.#read()), [dataDirectory]: { lineage } });
  }

  async #read(): Promise<Bindings> {
    try {
      return bindingsSchema.parse(JSON.parse(await readFile(this.#file, 'utf8')));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
      throw error;
    }
  }

  async #write(bindings: Bindings): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const temporary = `${this.#file}.${randomUUID()}`;
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(JSON.stringify(bindings, undefined, 2));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, this.#file);
  }
}

export function derivedLineage({
  vendor,
  identity,
  dataDirectory,
}: Pick<ServerFacts, 'vendor' | 'identity' | 'dataDirectory'>): string {
  return hash('sha256', `${vendor}\n${identity}\n${dataDirectory}`).slice(0, 32);
}
