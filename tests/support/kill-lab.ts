import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lineages } from '../../src/core/lineage.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { checkBackup } from '../../src/repository/check.ts';
import type { Sealed } from '../../src/repository/documents.ts';
import { IndexReader } from '../../src/repository/index-reader.ts';
import { listBackups } from '../../src/repository/list.ts';
import { dataPrefix, parseSegmentName, segmentOfKey } from '../../src/repository/names.ts';
import { initRepository, type Repository } from '../../src/repository/repository.ts';
import { restoreFiles } from '../../src/repository/restore-files.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { type AgentWorker, type AgentWorkerOptions, startAgentWorker } from './agent-worker.ts';
import { freePort } from './child.ts';
import { engineFor } from './engine-for.ts';
import { checkLedger, keepMoving, makeLedger } from './ledger.ts';
import { neverAborted as signal } from './repositories.ts';
import { type MariadbServer, startMariadb } from './servers.ts';

interface Parts {
  readonly folder: string;
  readonly repository: Repository;
  readonly database: MariadbServer;
  readonly engine: Engine;
  readonly agent: AgentWorkerOptions;
  readonly worker: AgentWorker;
  readonly random: () => number;
}

/** A server with a ledger, an encrypted repository and an agent that makes backups: all of them to be killed. */
export class KillLab implements AsyncDisposable {
  readonly repository: Repository;
  readonly #parts: Parts;
  readonly #home: MariadbServer;
  readonly #lineages: Lineages;
  #database: MariadbServer;
  #worker: AgentWorker;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.repository = parts.repository;
    this.#home = parts.database;
    this.#database = parts.database;
    this.#worker = parts.worker;
    this.#lineages = new Lineages(stateOf(parts.folder));
  }

  /** @param options `bin`: folder of the server's programs */
  static async start({ bin, random }: { bin: string; random: () => number }): Promise<KillLab> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'hf-kill-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    // The restored servers run as another user.
    await chmod(folder, 0o755);
    for (const path of [storeOf(folder), temporaryOf(folder)]) await mkdir(path);
    const bytes = randomBytes(32);
    await writeFile(join(folder, 'key'), bytes, { mode: 0o600 });
    const repository = await initRepository(new DirectoryStorage(storeOf(folder)), {
      clock: systemClock,
      signal,
      conditionalPut: true,
      unlock: { kind: 'key-file', bytes },
      label: 'test',
    });
    const database = stack.use(await startMariadb({ bin, options: serverOptions }));
    await database.query(makeLedger);
    const engine = await engineFor({ server: serverAt(database), path: toolPathOf(bin) });
    await pointTo(database, folder);
    const agent = {
      config: await writeConfig(folder, bin),
      tokenFile: join(stateOf(folder), 'token'),
      delayMs: 4,
      temporaryDirectory: temporaryOf(folder),
    };
    const worker = stack.use(await startAgentWorker(agent));
    stack.move();
    return new KillLab({ folder, repository, database, engine, agent, worker, random });
  }

  /** The agent; another process when the last was killed. */
  get worker(): AgentWorker {
    return this.#worker;
  }

  /** Which backups the next one may be compared with: as where a restore made the data directory. */
  async adoptLineage(lineage: string): Promise<void> {
    await this.#lineages.adopt(this.#home.dataDirectory, lineage);
  }

  /** Changes rows: in a burst now, and now and then also while the backup is made, which takes the tool a second more. */
  async load(): Promise<AsyncDisposable> {
    const load = keepMoving(serverAt(this.#database), this.#parts.random);
    if (this.#parts.random() < 0.3) return load;
    await sleep(20);
    await load[Symbol.asyncDispose]();
    return { [Symbol.asyncDispose]: () => Promise.resolve() };
  }

  /** In the same state directory, on the same port. */
  async restartWorker(): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
    this.#worker = await startAgentWorker(this.#parts.agent);
  }

  async killDatabase(): Promise<void> {
    await this.#database.kill();
  }

  /** One that was to be killed in a step that had passed by then still runs. */
  async restartDatabase(): Promise<void> {
    await this.#database.kill();
    if (this.#database !== this.#home) await this.#database[Symbol.asyncDispose]();
    const { dataDirectory } = this.#home;
    this.#database = await startMariadb({ bin: this.#home.bin, dataDirectory, options: serverOptions });
    await pointTo(this.#database, this.#parts.folder);
  }

  /** What the list shows as good under this id. */
  async sealed(backup: string): Promise<Sealed | undefined> {
    const found = (await listBackups(this.repository, { signal })).find((each) => each.backup === backup);
    return found?.state === 'sealed' ? found.sealed : undefined;
  }

  async segments(backup: string): Promise<{ count: number; bytes: number }> {
    let [count, bytes] = [0, 0];
    for await (const { key, size } of this.repository.storage.list(dataPrefix(backup))) {
      if (segmentOfKey(key) === undefined) continue;
      count += 1;
      bytes += size;
    }
    return { count, bytes };
  }

  /** Bytes of the segments of earlier attempts that the backup refers to. */
  async takenUp(sealed: Sealed): Promise<number> {
    const index = await IndexReader.open(sealed, { ...this.repository, signal });
    const used = (await index.segments()).map(({ name, size }) => ({ ...parseSegmentName(name), size }));
    const earlier = used.filter(({ backup, attempt }) => backup === sealed.backup && attempt !== sealed.attempt);
    return earlier.reduce((sum, { size }) => sum + size, 0);
  }

  /** Reads every block of the backup; @returns what is wrong. */
  async damage(sealed: Sealed): Promise<readonly unknown[]> {
    const options = { signal, readData: true, temporaryDirectory: this.#parts.folder };
    return (await checkBackup(this.repository, sealed, options)).bad;
  }

  /** Restores the backup and applies its log. @returns whether it is of one moment, where a server is to tell */
  async restore(sealed: Sealed, { withServer }: { readonly withServer: boolean }): Promise<string> {
    const directory = join(this.#parts.folder, 'restored');
    try {
      await restoreFiles(this.repository, sealed, { directory, signal });
      await this.#parts.engine.prepare(directory, { signal, onLog: () => undefined });
      if (!withServer) return 'prepared';
      await this.#home.user.own(directory);
      await using server = await startMariadb({ bin: this.#home.bin, dataDirectory: directory });
      const [[answer] = []] = await server.query(checkLedger);
      return answer ?? '';
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** Tools that still run, of all that were started here. */
  async leftoverTools(): Promise<string[]> {
    const commands = await Promise.all(
      (await readdir('/proc')).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    );
    return commands.filter(
      (command) => command.includes(temporaryOf(this.#parts.folder)) && command.includes('--stream=xbstream'),
    );
  }

  async leftoverFiles(): Promise<string[]> {
    return readdir(temporaryOf(this.#parts.folder));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
    await this.#database[Symbol.asyncDispose]();
    await this.#home[Symbol.asyncDispose]();
    await rm(this.#parts.folder, { recursive: true, force: true });
  }
}

const serverOptions = ['--log-bin=bin', '--server-id=1', '--innodb-buffer-pool-size=32M'];

const storeOf = (folder: string): string => join(folder, 'store');
const stateOf = (folder: string): string => join(folder, 'state');
const temporaryOf = (folder: string): string => join(folder, 'tmp');
const toolPathOf = (bin: string): string => `${bin}:/usr/bin:/bin`;

function serverAt({ socket }: { readonly socket: string }): { socket: string; user: string } {
  return { socket, user: 'root' };
}

/** The database as the agent's file names it: each start of the server gives it another socket. */
async function pointTo({ socket }: MariadbServer, folder: string): Promise<void> {
  const fresh = join(folder, 'db.sock.new');
  await symlink(socket, fresh);
  await rename(fresh, join(folder, 'db.sock'));
}

async function writeConfig(folder: string, bin: string): Promise<string> {
  const file = join(folder, 'agent.json');
  const encryption = { type: 'key-file', file: join(folder, 'key') };
  const config = {
    listen: { port: await freePort() },
    stateDirectory: stateOf(folder),
    database: serverAt({ socket: join(folder, 'db.sock') }),
    locations: { main: { location: storeOf(folder), encryption } },
    toolPath: toolPathOf(bin),
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
