import { Failure, PermanentFailure } from '../lib/failure.ts';
import { type Ending, Tool } from '../lib/process.ts';
import { SocketPair } from '../lib/socket-pair.ts';
import { BackupContents, type ContentRules } from './backup-contents.ts';
import type {
  BackupFacts,
  BackupRun,
  BackupRunOptions,
  EngineName,
  FilePiece,
  ServerConnection,
  ServerFacts,
} from './engine.ts';
import { judgeTool } from './failure-lines.ts';
import { LockState, type LockRule } from './lock-state.ts';
import { resolveConnection } from './option-file.ts';
import { PrivateDirectory } from './private-directory.ts';
import { withoutSecrets } from './secrets.ts';
import { ServerWatch } from './server-watch.ts';
import { vendorOf } from './server-facts.ts';
import { Sql } from './sql.ts';
import { StallGuard } from './stall-guard.ts';
import { toolFits } from './tool-fits.ts';
import { toolOptionFile } from './tool-option-file.ts';
import { decodeXbstream } from './xbstream-decode.ts';

/** A program of this host, as it is started. */
export interface ToolCommand {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What one backup tool does its own way. */
export interface BackupTool extends ToolCommand {
  readonly name: EngineName;
  readonly version: string;
  /** The group of the option file that the tool reads. */
  readonly optionGroup: string;
  readonly lockRules: readonly LockRule[];
  /** Arguments that come after the option file's. `scratch` is a directory that the tool may make, and that goes. */
  backupArguments(scratch: string, parallel: number): readonly string[];
  contentRules(server: ServerVariables): ContentRules;
}

/** What decides which files a backup must have. */
export interface ServerVariables {
  readonly logBin: boolean;
  /** Name of the first file of the system tablespace, usually `ibdata1`. */
  readonly systemTablespace: string;
}

interface AskedServer extends ServerVariables, Pick<ServerFacts, 'vendor' | 'version'> {}

const defaultLockedStallMs = 10_000;
/** While one thread of the tool writes into the stream, another reads and checks the next pages. */
const defaultParallel = 2;
/** While a lock is held there is no time for a tool that does not end when asked. */
const lockedGraceMs = 100;

/** Runs a tool's backup; see `BackupRun`. Nothing happens before the first piece is asked for. */
export function runToolBackup(tool: BackupTool, server: ServerConnection, options: BackupRunOptions): BackupRun {
  const run = new ToolBackup(tool, server, options);
  return { pieces: run.pieces(), isLocked: () => run.isLocked, facts: () => run.facts };
}

class ToolBackup {
  readonly #tool: BackupTool;
  readonly #server: ServerConnection;
  readonly #options: BackupRunOptions;
  #lock: LockState | undefined;
  #secrets: readonly string[] = [];
  #facts: BackupFacts | undefined;

  constructor(tool: BackupTool, server: ServerConnection, options: BackupRunOptions) {
    this.#tool = tool;
    this.#server = server;
    this.#options = options;
  }

  get isLocked(): boolean {
    return this.#lock !== undefined && this.#lock.level !== 'none';
  }

  get facts(): BackupFacts {
    if (!this.#facts)
      throw new Failure(
        'backup-unfinished',
        'Cannot tell the facts of the backup as it has not ended well: no facts yet',
      );
    return this.#facts;
  }

  async *pieces(): AsyncGenerator<readonly FilePiece[], void, undefined> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    const server = await resolveConnection(this.#server);
    this.#secrets = server.password === undefined ? [] : [server.password];
    await using directory = await PrivateDirectory.create();
    const optionFile = await directory.write('server.cnf', toolOptionFile(this.#tool.optionGroup, server));
    const asked = await askServer(server, signal);
    refuseMisfit(this.#tool, asked);
    const contents = new BackupContents(this.#tool.contentRules(asked));
    // Made before the tool starts, so that a server that cannot be reached is found out first.
    const lost = Promise.withResolvers<Failure>();
    await using _watch = await ServerWatch.start(server, {
      signal,
      onLost: lost.resolve,
      onLog: (line) => this.#log(line),
    });
    await using tool = await this.#startTool(optionFile, directory.path);
    void lost.promise.then((failure) => this.#end(tool, failure));
    using guard = this.#guardStalls(tool);
    this.#lock = new LockState(this.#tool.lockRules, (level) => guard.lockChanged(level));
    try {
      for await (const batch of decodeXbstream(tool.output())) {
        contents.take(batch);
        guard.handedOut();
        yield batch;
        guard.askedForMore();
      }
    } finally {
      this.#lock = undefined;
    }
    this.#facts = contents.facts();
  }

  async #startTool(optionFile: string, directory: string): Promise<Tool> {
    const { command, env, name } = this.#tool;
    const parallel = this.#options.parallel ?? defaultParallel;
    const stdout = await SocketPair.create();
    return new Tool({
      command,
      // The tools insist on the option file being the first argument.
      args: [`--defaults-file=${optionFile}`, ...this.#tool.backupArguments(`${directory}/scratch`, parallel)],
      env,
      signal: this.#options.signal,
      stdout,
      onStderrLine: (line) => {
        this.#lock?.observe(line);
        this.#log(line);
      },
      judge: (ending) => this.#judge(ending, name),
    });
  }

  #judge(ending: Ending, tool: string): Failure | undefined {
    return judgeTool(ending, { what: 'back up the server', tool, secrets: this.#secrets });
  }

  #guardStalls(tool: Tool): StallGuard {
    const limitMs = this.#options.lockedStallMs ?? defaultLockedStallMs;
    return new StallGuard({
      limitMs,
      onStall: (heldMs) => {
        this.#log(
          `holdfast: ending the attempt: nothing took the data for ${Math.round(heldMs)} ms while the server was locked`,
        );
        this.#end(tool, stalled(heldMs, limitMs));
      },
    });
  }

  #end(tool: Tool, failure: Failure): void {
    tool.fail(failure, lockedGraceMs);
    this.#options.onFailure?.(failure);
  }

  #log(line: string): void {
    this.#options.onLog(withoutSecrets(line, this.#secrets));
  }
}

async function askServer(server: ServerConnection, signal: AbortSignal): Promise<AskedServer> {
  await using sql = await Sql.connect(server, { signal });
  const [row] = await sql.query(
    'SELECT @@log_bin AS log_bin, @@innodb_data_file_path AS files, @@version AS version, @@version_comment AS comment',
  );
  const version = row?.['version'] ?? '';
  const first = (row?.['files'] ?? '').split(/[:;]/)[0] ?? '';
  return {
    vendor: vendorOf(version, row?.['comment'] ?? ''),
    version,
    logBin: row?.['log_bin'] === '1',
    systemTablespace: first.slice(first.lastIndexOf('/') + 1) || 'ibdata1',
  };
}

/** Some tools copy the files of a server that they do not fit, and say that they completed. */
function refuseMisfit(tool: BackupTool, server: AskedServer): void {
  const { level, code, message, nextStep } = toolFits(tool, server);
  if (level !== 'error') return;
  const details = nextStep === undefined ? {} : { nextStep };
  throw new PermanentFailure(code, `Cannot back up the server as the tool does not fit it: ${message}`, details);
}

function stalled(heldMs: number, limitMs: number): Failure {
  return new Failure(
    'store-stalled-while-locked',
    `Cannot go on with the backup as nothing took its data while the server was locked: ${Math.round(heldMs)} ms, the limit is ${limitMs} ms`,
    { nextStep: 'Check the way to the storage location, and try again; the limit can be set.' },
  );
}
