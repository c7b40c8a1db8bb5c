import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { Failure, PermanentFailure } from './failure.ts';
import { LineSplitter } from './lines.ts';
import { endWatch, notOutlivingParent } from './outlived.ts';
import type { SocketPair } from './socket-pair.ts';

/** How a program ended. */
export interface Ending {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines it printed on stderr. */
  readonly lastLines: readonly string[];
}

export interface ToolOptions {
  /** A path; nothing is looked up. */
  readonly command: string;
  /** Never secrets: everyone on the host sees them. */
  readonly args: readonly string[];
  /** All of its environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onStderrLine?: (line: string) => void;
  /** Decides whether an ending is a success: returns the error that it is, or undefined. */
  readonly judge: (ending: Ending) => Error | undefined;
  /**
   * What it writes its stdout into, for output that is large and must be fast; belongs to the tool from then on. Each part
   * of the output is then valid only until the next is asked for.
   */
  readonly stdout?: SocketPair;
  /** From SIGTERM to SIGKILL. Default 5,000. */
  readonly graceMs?: number;
}

/** Lines kept as evidence, and how long the program's helpers may hold its stderr open after it ended. */
const keptLines = 40;
const stderrLimitMs = 2_000;
const killLimitMs = 10_000;

/** How a shell ends that could not become the program. */
const notStartedCodes: readonly (number | null)[] = [126, 127];

/**
 * A program under way, in a process group of its own that is gone, all of it, when the tool is disposed of or this process
 * dies, of SIGKILL too.
 * Spawn from the main thread: xtrabackup asks the kernel to be killed when the thread that started it ends.
 */
export class Tool implements AsyncDisposable {
  readonly pid: number | undefined;
  readonly #child: ChildProcess;
  readonly #options: ToolOptions;
  readonly #lastLines: string[] = [];
  readonly #ended: Promise<Ending>;
  readonly #onAbort = (): void => this.fail(this.#options.signal.reason, this.#options.graceMs);
  #failure: { readonly error: unknown } | undefined;
  #running = true;
  #killTimer: NodeJS.Timeout | undefined;

  constructor(options: ToolOptions) {
    if (options.signal.aborted) options.stdout?.[Symbol.dispose]();
    options.signal.throwIfAborted();
    this.#options = options;
    const { command, args } = notOutlivingParent(options.command, options.args);
    this.#child = spawn(command, args, {
      stdio: ['ignore', options.stdout?.writer ?? 'pipe', 'pipe', 'pipe'],
      detached: true,
      env: { ...options.env },
    });
    // From now on only the program holds it, so its end is the end of the output.
    options.stdout?.writer.destroy();
    this.pid = this.#child.pid;
    this.#ended = this.#watch();
    // Whoever reads the output learns of a failure; without a reader it must not end the program.
    this.#ended.catch(() => undefined);
    this.#child.stdout?.on('error', () => undefined);
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * What it prints on stdout, as it comes. Ends only when the program ended and its ending was judged a success; throws
   * the failure otherwise. Leaving the loop early ends the program.
   */
  async *output(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of this.#options.stdout?.read() ?? this.#child.stdout ?? []) {
        if (this.#failure) break;
        if (chunk instanceof Uint8Array) yield chunk;
      }
      await this.succeeded();
    } catch (error) {
      throw this.#failure ? this.#failure.error : error;
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  /** Resolves when the program ended well; throws otherwise. Its output must be read or drained for it to end. */
  async succeeded(): Promise<Ending> {
    const ending = await this.#ended;
    if (this.#failure) throw this.#failure.error;
    const error = this.#options.judge(ending);
    if (error) throw error;
    return ending;
  }

  /** Ends the program because of this error, which its reader gets instead of what is left of the output. */
  fail(error: unknown, graceMs?: number): void {
    this.#failure ??= { error };
    this.#kill(graceMs ?? this.#options.graceMs ?? 5_000);
    this.#closeOutput();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#kill(this.#options.graceMs ?? 5_000);
    this.#closeOutput();
    await Promise.race([this.#ended.catch(() => undefined), limit(killLimitMs)]);
  }

  #closeOutput(): void {
    this.#options.stdout?.[Symbol.dispose]();
    this.#child.stdout?.destroy();
  }

  #kill(graceMs: number): void {
    if (!this.#running || this.#killTimer) return;
    this.#signalGroup('SIGTERM');
    this.#killTimer = setTimeout(() => this.#signalGroup('SIGKILL'), graceMs);
  }

  async #watch(): Promise<Ending> {
    const splitter = new LineSplitter((line) => this.#onLine(line));
    const { stderr } = this.#child;
    stderr?.on('error', () => undefined);
    stderr?.on('data', (bytes: Buffer) => splitter.push(bytes));
    const stderrEnded = new Promise<void>((resolve) => stderr?.once('close', resolve));
    const { exitCode, signal } = await this.#exit();
    await Promise.race([stderrEnded, limit(stderrLimitMs)]);
    stderr?.destroy();
    splitter.end();
    return { exitCode, signal, lastLines: this.#lastLines };
  }

  async #exit(): Promise<Pick<Ending, 'exitCode' | 'signal'>> {
    try {
      // 'exit' comes when the program ended; 'close' would wait for helpers that inherited its stdout.
      await once(this.#child, 'exit');
    } catch (cause) {
      throw cannotStart(this.#options.command, cause);
    } finally {
      // Helpers that it left behind go with it.
      this.#signalGroup('SIGKILL');
      this.#running = false;
      clearTimeout(this.#killTimer);
      endWatch(this.#child);
    }
    if (notStartedCodes.includes(this.#child.exitCode)) await refuseMissing(this.#options.command);
    return { exitCode: this.#child.exitCode, signal: this.#child.signalCode };
  }

  #onLine(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > keptLines) this.#lastLines.shift();
    this.#options.onStderrLine?.(line);
  }

  #signalGroup(signal: NodeJS.Signals): void {
    if (this.pid === undefined || !this.#running) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // The group is gone already.
    }
  }
}

async function refuseMissing(command: string): Promise<void> {
  try {
    await access(command, constants.X_OK);
  } catch (cause) {
    throw cannotStart(command, cause);
  }
}

function cannotStart(command: string, cause: unknown): Failure {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'EACCES') {
    return new PermanentFailure(
      'tool-missing',
      `Cannot start ${command} as it is not there or not executable: ${String(code)}`,
      {
        cause,
        nextStep: `Install the tool, or correct the PATH that Holdfast runs with.`,
      },
    );
  }
  return new Failure('tool-not-started', `Cannot start ${command} as the system refused: ${String(code ?? cause)}`, {
    cause,
  });
}

function limit(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
