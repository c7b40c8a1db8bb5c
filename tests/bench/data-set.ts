import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { cached } from '../../scripts/setup/cache.ts';
import { run, say } from '../../scripts/setup/run.ts';
import { newDataDirectory } from '../support/data-directory.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';
import { serverUser } from '../support/server-user.ts';
import { columns, rowLines, storedRowBytes } from './rows.ts';
import { serverOptions, stopSettled } from './server.ts';

/** To be raised when the data sets change. */
const version = 1;
export const rowTables = ['t1', 't2', 't3', 't4'] as const;

export interface CopyOptions {
  /** Folder of the server's programs. */
  readonly bin: string;
  /** Names it in the cache. */
  readonly name: string;
  readonly size: number;
  readonly into: string;
  readonly fill: (database: MariadbServer) => Promise<void>;
}

/** Copies a data set, made first if need be, to `into`: the data directory of a server that was shut down. */
export async function copyDataSet({ bin, name, size, into, fill }: CopyOptions): Promise<string> {
  const folder = await cached(`bench-${name}-${version}`, async (building, final) => {
    say(`Building the data set ${name} in ${final}`);
    // The server's user need not be allowed to look into the cache.
    const work = await mkdtemp(join(tmpdir(), 'holdfast-data-set-'));
    try {
      await serverUser().own(work);
      const dataDirectory = await newDataDirectory({ bin, into: join(work, 'data'), user: serverUser() });
      await using database = await startMariadb({ bin, dataDirectory, options: serverOptions(size) });
      await fill(database);
      await stopSettled(database);
      await run('mv', [dataDirectory, join(building, 'data')]);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  await run('cp', ['-a', '--reflink=auto', join(folder, 'data'), into]);
  return into;
}

/** Copies the data set of rows whose files have about this size. */
export async function copyRows({ bin, size, into }: Pick<CopyOptions, 'bin' | 'size' | 'into'>): Promise<string> {
  const rows = rowsPerTable(size);
  const fill = async (database: MariadbServer): Promise<void> => {
    await database.query('CREATE DATABASE app');
    for (const table of rowTables) {
      await database.query(`CREATE TABLE app.${table} (${columns}, INDEX created (created))`);
      await loadRows(database, table, { firstId: 1, rows });
    }
  };
  return copyDataSet({ bin, name: `rows-${size / 2 ** 20}M`, size, into, fill });
}

export function rowsPerTable(size: number): number {
  return Math.floor(size / rowTables.length / storedRowBytes);
}

/** Inserts rows; those whose id is there already are rewritten. */
export async function loadRows(
  database: MariadbServer,
  table: string,
  { firstId, rows }: { readonly firstId: number; readonly rows: number },
): Promise<void> {
  const load = `SET unique_checks=0, foreign_key_checks=0; LOAD DATA LOCAL INFILE '/dev/stdin' REPLACE INTO TABLE app.${table}`;
  // The client opens /dev/stdin by its name, which is possible with a shell's pipe, not with the socket that Node makes.
  const words = [
    '--no-defaults',
    '--local-infile=1',
    `--socket=${database.socket}`,
    '--user=root',
    `--execute=${load}`,
  ];
  const client = spawn('/bin/bash', ['-c', 'cat | "$@"', 'bash', join(database.bin, 'mariadb'), ...words], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let errors = '';
  client.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const closed = once(client, 'close');
  // The client's own words say more than the broken pipe.
  await pipeline(Readable.from(rowLines(firstId, rows)), client.stdin).catch(() => undefined);
  await closed;
  if (client.exitCode !== 0) throw new Error(`Cannot load rows into ${table} as the client failed: ${errors}`);
}
