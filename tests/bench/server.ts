import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MariadbServer, startMariadb } from '../support/servers.ts';

/** Settings of the measured server: the pool holds what is changed, and few redo pages are left to copy. */
export function serverOptions(size: number): string[] {
  const pool = Math.min(1 << 30, Math.max(256 << 20, size));
  return [`--innodb-buffer-pool-size=${pool}`, '--innodb-log-file-size=256M', '--local-infile=1'];
}

/** Shuts it down so that nothing is left to purge, merge, write or apply: the files of two runs are alike. */
export async function stopSettled(database: MariadbServer): Promise<void> {
  await database.query('SET GLOBAL innodb_fast_shutdown=0; SHUTDOWN');
  const deadline = performance.now() + shutdownLimitMs;
  while (existsSync(`/proc/${database.pid}/fd`) && performance.now() < deadline) await sleep(50);
  await database.stop();
}

const shutdownLimitMs = 10 * 60_000;

/** A server that can be shut down and started again as the same one: same directory, same port, so the same identity. */
export class BenchServer implements AsyncDisposable {
  readonly #start: () => Promise<MariadbServer>;
  #database: MariadbServer;

  private constructor(start: () => Promise<MariadbServer>, database: MariadbServer) {
    this.#start = start;
    this.#database = database;
  }

  static async start(options: {
    readonly bin: string;
    readonly dataDirectory: string;
    readonly size: number;
    readonly port: number;
    readonly options?: readonly string[];
  }): Promise<BenchServer> {
    const { bin, dataDirectory, size, port } = options;
    const settings = [
      ...serverOptions(size),
      `--port=${port}`,
      '--log-bin=bin',
      '--server-id=1',
      ...(options.options ?? []),
    ];
    const start = async (): Promise<MariadbServer> => startMariadb({ bin, dataDirectory, options: settings });
    return new BenchServer(start, await start());
  }

  get database(): MariadbServer {
    return this.#database;
  }

  /** Makes changes, and starts the server anew with all of them in its files. */
  async change(work: (database: MariadbServer) => Promise<void>): Promise<void> {
    await work(this.#database);
    await stopSettled(this.#database);
    await this.#database[Symbol.asyncDispose]();
    this.#database = await this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database[Symbol.asyncDispose]();
  }
}
