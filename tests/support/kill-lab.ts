import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/lib/clock.ts';
import { checkBackup } from '../../src/repository/check.ts';
import type { Sealed } from '../../src/repository/documents.ts';
import { IndexReader } from '../../src/repository/index-reader.ts';
import { listBackups } from '../../src/repository/list.ts';
import { dataPrefix, parseSegmentName, segmentOfKey } from '../../src/repository/names.ts';
import { initRepository, type Repository } from '../../src/repository/repository.ts';
import { restoreFiles } from '../../src/repository/restore-files.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { type BackupOrder, engineFor } from './backup-runner.ts';
import { type BackupWorker, startBackupWorker } from './backup-worker.ts';
import { checkLedger, keepMoving, makeLedger } from './ledger.ts';
import { neverAborted as signal } from './repositories.ts';
import { type MariadbServer, startMariadb } from './servers.ts';

/** A server with a ledger, an encrypted repository and a process that makes backups: all of them to be killed. */
export class KillLab implements AsyncDisposable {
  readonly bin: string;
  readonly repository: Repository;
  /** Of the killed process. */
  readonly temporary: string;
  readonly #folder: string;
  readonly #key: string;
  readonly #random: () => number;
  readonly #home: MariadbServer;
  #database: MariadbServer;
  #worker: BackupWorker;

  private constructor(parts: {
    folder: string;
    key: string;
    repository: Repository;
    database: MariadbServer;
    random: () => number;
  }) {
    const { folder, key, repository, database, random } = parts;
    this.bin = database.bin;
    this.#folder = folder;
    this.#key = key;
    this.#random = random;
    this.repository = repository;
    this.temporary = join(folder, 'tmp');
    this.#home = database;
    this.#database = database;
    this.#worker = startBackupWorker(this.temporary);
  }

  static async start(bin: string, random: () => number): Promise<KillLab> {
    const folder = await mkdtemp(join(tmpdir(), 'hf-kill-'));
    // The restored servers run as another user.
    await chmod(folder, 0o755);
    for (const name of ['store', 'tmp']) await mkdir(join(folder, name));
    const bytes = randomBytes(32);
    const repository = await initRepository(new DirectoryStorage(join(folder, 'store')), {
      clock: systemClock,
      signal,
      conditionalPut: true,
      unlock: { kind: 'key-file', bytes },
      label: 'test',
    });
    const database = await startMariadb({ bin, options: serverOptions });
    await database.query(makeLedger);
    return new KillLab({ folder, key: bytes.toString('hex'), repository, database, random });
  }

  get server(): { socket: string; user: string } {
    return { socket: this.#database.socket, user: 'root' };
  }

  /** The process that makes backups; a new one when the last was killed. */
  get worker(): BackupWorker {
    return this.#worker;
  }

  order(backup: string, lineage: string): BackupOrder {
    const path = `${this.bin}:/usr/bin:/bin`;
    const repository = join(this.#folder, 'store');
    return { repository, key: this.#key, server: this.server, path, backup, lineage, delayMs: 4 };
  }

  /** Changes rows: in a burst now, and now and then also while the backup is made, which takes the tool a second more. */
  async load(): Promise<AsyncDisposable> {
    const load = keepMoving(this.server, this.#random);
    if (this.#random() < 0.3) return load;
    await sleep(20);
    await load[Symbol.asyncDispose]();
    return { [Symbol.asyncDispose]: () => Promise.resolve() };
  }

  async killWorker(): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
    this.#worker = startBackupWorker(this.temporary);
  }

  async killDatabase(): Promise<void> {
    await this.#database.kill();
  }

  async restartDatabase(): Promise<void> {
    if (this.#database !== this.#home) await this.#database[Symbol.asyncDispose]();
    const { dataDirectory } = this.#home;
    this.#database = await startMariadb({ bin: this.bin, dataDirectory, options: serverOptions });
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
    const options = { signal, readData: true, temporaryDirectory: this.#folder };
    return (await checkBackup(this.repository, sealed, options)).bad;
  }

  /** Restores the backup, starts a server on it and asks whether it is of one moment. */
  async proof(sealed: Sealed): Promise<string> {
    const directory = join(this.#folder, 'restored');
    try {
      await restoreFiles(this.repository, sealed, { directory, signal });
      const engine = await engineFor(this.order(sealed.backup, ''));
      await engine.prepare(directory, { signal, onLog: () => undefined });
      await this.#home.user.own(directory);
      await using server = await startMariadb({ bin: this.bin, dataDirectory: directory });
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
    return commands.filter((command) => command.includes(this.temporary) && command.includes('--stream=xbstream'));
  }

  async leftoverFiles(): Promise<string[]> {
    return readdir(this.temporary);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
    await this.#database[Symbol.asyncDispose]();
    await this.#home[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const serverOptions = ['--log-bin=bin', '--server-id=1', '--innodb-buffer-pool-size=32M'];
