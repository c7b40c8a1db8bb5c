import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds after which the program is ended; 15 minutes unless told. */
  readonly timeoutMs?: number;
}

/**
 * Runs a program to its end and returns what it printed on standard output. Throws, with the last lines of its standard
 * error, unless it exits 0.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Not spawn's own limit: of a program that is not there it keeps the timer, and with it this process.
  const limit = setTimeout(() => child.kill(), options.timeoutMs ?? 15 * 60_000);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-8192)));
  const ending = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code === 0 ? '' : (signal ?? `exit code ${code}`)));
  }).finally(() => clearTimeout(limit));
  if (ending !== '') {
    throw new Error(`Cannot run ${command} ${args.join(' ')} as it ended with ${ending}: ${errors.trim()}`);
  }
  return output;
}

/** Does the program run and exit 0? */
export async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}

/** Runs a program as root, directly or through sudo, so that no package asks a question. */
export async function runAsRoot(command: string, args: readonly string[]): Promise<string> {
  const quiet = ['env', 'DEBIAN_FRONTEND=noninteractive', command, ...args];
  return process.getuid?.() === 0 ? run('env', quiet.slice(1)) : run('sudo', quiet);
}

/** Installs packages of the distribution on this system. */
export async function installSystemPackages(names: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of names) {
    if (!(await succeeds('dpkg', ['-s', name]))) {
      missing.push(name);
    }
  }
  if (missing.length === 0) {
    return;
  }
  say(`Installing the distribution's packages ${missing.join(', ')}`);
  await runAsRoot('apt-get', ['update', '-q']);
  await runAsRoot('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...missing]);
}

/** Says what slow work is being done. Standard error, so that it never mixes with a result. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
