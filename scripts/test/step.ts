import { spawn } from 'node:child_process';

/** What a step found. A check counts as one test. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

export interface Step {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

/** A step that is one command: passed if it exits 0. */
export function command(name: string, argv: readonly string[]): Step {
  return {
    name,
    run: async () => verdict((await execute(argv, { limitMs: 5 * 60_000 })) === 0),
  };
}

/** A step that is one function: passed if it returns no complaints. */
export function check(name: string, complaints: () => Promise<readonly string[]>): Step {
  return {
    name,
    run: async () => {
      const found = await complaints();
      for (const complaint of found) {
        console.log(complaint);
      }
      return verdict(found.length === 0);
    },
  };
}

function verdict(isGood: boolean): Outcome {
  return { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: [] };
}

interface ExecuteOptions {
  readonly limitMs: number;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a command with this process' output; returns its exit code, or -1 when it was ended for taking too long or crashed. */
export async function execute(argv: readonly string[], options: ExecuteOptions): Promise<number> {
  const [program = '', ...rest] = argv;
  const env = { ...process.env, ...options.environment };
  // A group of its own, so that servers which a crashed test left behind end with it.
  const child = spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit'], detached: true, env });
  const endGroup = (): void => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // The group has ended.
    }
  };
  const limit = setTimeout(endGroup, options.limitMs);
  const interrupted = (): void => {
    endGroup();
    process.exit(130);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? -1));
    });
  } finally {
    clearTimeout(limit);
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    endGroup();
  }
}
