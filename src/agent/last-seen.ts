import { realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import * as z from 'zod';
import { type DataOutside, dataOutside, settingsOfOutside } from '../core/data-outside.ts';
import { watchedDirectories } from '../core/mysql-tablespaces.ts';
import { readSmallFile, systemFiles } from '../core/placement-files.ts';
import type { ServerFacts } from '../engine/engine.ts';
import { type Clock, isoTime, msOf } from '../lib/clock.ts';
import type { AgentConfig } from './config.ts';
import type { Host } from './host.ts';

/** What a restore in place must know of a server that it cannot ask any more. */
const serverSchema = z.object({
  vendor: z.enum(['MariaDB', 'MySQL', 'Percona Server']),
  version: z.string(),
  dataDirectory: z.string().startsWith('/'),
  /** Those that tell of data outside the data directory. */
  variables: z.record(z.string(), z.string()),
  tablespacesOutside: z.array(z.string()).optional(),
  /** Of MySQL: every tablespace outside the data directory where it looks for some, its own or not. */
  tablespacesThere: z.array(z.string()),
});
type Server = z.infer<typeof serverSchema>;
export type SeenServer = Server & { readonly at: string };

const recordSchema = z.object({
  version: z.literal(1),
  at: z.iso.datetime(),
  /** By which way it was reached. */
  way: z.string(),
  server: serverSchema,
});
type SeenRecord = z.infer<typeof recordSchema>;

export interface LastSeenOptions {
  readonly config: Pick<AgentConfig, 'stateDirectory' | 'database'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Told why something could not be recorded or read. */
  readonly say: (message: string) => void;
}

/** How far the time of what did not change may lag behind, so that not every look at a server writes. */
const refreshMs = 600_000;
const maximumBytes = 64 * 1024 * 1024;

/** The agent's server as it was when it last answered, kept over restarts: a restore is for a server that is down, too. */
export class LastSeen {
  readonly #file: string;
  readonly #way: string;
  readonly #options: LastSeenOptions;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: LastSeenOptions) {
    const { stateDirectory, database } = options.config;
    const { socket, host, port, defaultsFile } = database ?? {};
    this.#file = join(stateDirectory, 'last-seen.json');
    this.#way = JSON.stringify([socket, host, port, defaultsFile]);
    this.#options = options;
  }

  /** The same question to the server, whose answer is kept. That it cannot be kept is no reason not to give it. */
  remembering(host: Pick<Host, 'readServerFacts'>): Host['readServerFacts'] {
    return async (connection, options) => {
      const facts = await host.readServerFacts(connection, options);
      this.#writing = this.#writing.then(async () => this.#remember(facts));
      await this.#writing;
      return facts;
    };
  }

  /** Undefined where a server was never seen that the agent's file leads to now. */
  async recall(): Promise<SeenServer | undefined> {
    const found = await this.#read();
    return found === undefined || found.way !== this.#way ? undefined : { ...found.server, at: found.at };
  }

  async #remember(facts: ServerFacts): Promise<void> {
    try {
      await this.#write(await seenServer(facts));
    } catch (error) {
      this.#options.say(`What the server tells of itself could not be recorded in ${this.#file}: ${String(error)}`);
    }
  }

  async #write(server: Server): Promise<void> {
    const now = this.#options.clock.now();
    const before = await this.#read();
    const isSame = before?.way === this.#way && JSON.stringify(before.server) === JSON.stringify(server);
    if (isSame && Math.abs(now - msOf(before.at)) < refreshMs) return;
    const record: SeenRecord = { version: 1, at: isoTime(now), way: this.#way, server };
    await systemFiles.writeDurably(this.#file, `${JSON.stringify(record)}\n`);
  }

  async #read(): Promise<SeenRecord | undefined> {
    const text = await readSmallFile(this.#file, maximumBytes);
    if (text === undefined) return undefined;
    try {
      return recordSchema.parse(JSON.parse(text));
    } catch (error) {
      this.#options.say(`What the server told of itself cannot be read from ${this.#file}: ${String(error)}`);
      return undefined;
    }
  }
}

async function seenServer(facts: ServerFacts): Promise<Server> {
  const { vendor, version, dataDirectory, variables, tablespacesOutside } = facts;
  const kept = settingsOfOutside.flatMap((name) => {
    const value = variables[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return serverSchema.parse({
    vendor,
    version,
    dataDirectory,
    variables: Object.fromEntries(kept),
    ...(tablespacesOutside === undefined ? {} : { tablespacesOutside }),
    tablespacesThere: await tablespacesThere(facts),
  });
}

/**
 * What of the server's data lies outside its data directory, now that it does not answer: its settings are those that it had, links
 * are looked at anew, and of MySQL's tablespaces only those can be told apart that were there when it was asked.
 */
export async function outsideAsSeen(seen: Server): Promise<readonly DataOutside[]> {
  const outside = await dataOutside(seen);
  const made = (await tablespacesThere(seen)).filter((path) => !seen.tablespacesThere.includes(path));
  const directories = [...new Set(made.map((path) => dirname(path)))];
  return [...outside, ...directories.map((path): DataOutside => ({ what: 'tables', path, handling: untold }))];
}

const untold: DataOutside['handling'] = {
  kind: 'refuse',
  why: 'some were made after the server was last seen, and whether they are its own only the server tells',
};

async function tablespacesThere({
  vendor,
  variables,
  dataDirectory,
}: Pick<Server, 'vendor' | 'variables' | 'dataDirectory'>): Promise<string[]> {
  if (vendor === 'MariaDB') return [];
  const root = await realpath(dataDirectory);
  const watched = await watchedDirectories(variables['innodb_directories'] ?? '', root);
  const paths = watched.flatMap(({ directory, known }) => known.map((name) => join(directory, name)));
  return [...new Set(paths)].filter((path) => !path.startsWith(`${root}${sep}`)).toSorted();
}
