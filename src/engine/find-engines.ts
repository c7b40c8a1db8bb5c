import { access, constants, realpath, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { runTool } from '../lib/run-tool.ts';
import type { Engine, Finding } from './engine.ts';
import { mariadbBackup } from './mariadb-backup.ts';
import { xtrabackup } from './xtrabackup.ts';

export interface FindOptions {
  /** Folders to look in, as in the environment variable PATH. */
  readonly path: string;
  /** More of the environment for the tools, such as LD_LIBRARY_PATH. They get this, PATH and a neutral locale, nothing else. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface FoundEngines {
  readonly engines: readonly Engine[];
  /** Programs of the right names that could not tell their version. */
  readonly findings: readonly Finding[];
}

const programs = ['mariadb-backup', 'mariabackup', 'xtrabackup'];

/** Looks for backup tools and asks each for its version. Each program counts once, whatever links lead to it. */
export async function findEngines(options: FindOptions): Promise<FoundEngines> {
  const engines: Engine[] = [];
  const findings: Finding[] = [];
  const env = { PATH: options.path, LC_ALL: 'C', ...options.env };
  for (const command of await findPrograms(options.path)) {
    try {
      engines.push(engineOf(await askVersion(command, env, options.signal), { command, env }));
    } catch (error) {
      options.signal.throwIfAborted();
      findings.push({
        level: 'warning',
        code: 'tool-unusable',
        message: `${command} does not tell its version: ${error instanceof Error ? error.message : String(error)}.`,
        nextStep: `Run "${command} --version" to see what is wrong with it.`,
      });
    }
  }
  return { engines, findings };
}

async function findPrograms(path: string): Promise<readonly string[]> {
  const found = new Map<string, string>();
  for (const folder of path.split(delimiter).filter((each) => isAbsolute(each))) {
    for (const name of programs) {
      const command = join(folder, name);
      if (!(await isProgram(command))) continue;
      const real = await realpath(command);
      if (!found.has(real)) found.set(real, command);
    }
  }
  return [...found.values()];
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    const found = await stat(path);
    return found.isFile();
  } catch {
    return false;
  }
}

/** The tools print it on stdout or stderr, depending on their age. */
async function askVersion(
  command: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const judge = ({ exitCode, signal: killed }: { exitCode: number | null; signal: string | null }): Error | undefined =>
    exitCode === 0 ? undefined : new Error(`it ended with ${killed ?? `exit code ${exitCode}`}`);
  const { stdout, lastLines } = await runTool({ command, args: ['--version'], env, signal, judge, timeoutMs: 10_000 });
  return [stdout, ...lastLines].join('\n');
}

function engineOf(
  text: string,
  program: { readonly command: string; readonly env: Readonly<Record<string, string>> },
): Engine {
  const mariadb = /based on MariaDB server (\S+)/.exec(text)?.[1];
  if (mariadb !== undefined) return mariadbBackup({ ...program, version: mariadb });
  const percona = /xtrabackup version (\S+) based on MySQL server/.exec(text)?.[1];
  if (percona !== undefined) return xtrabackup({ ...program, version: percona });
  throw new Error(`it says ${JSON.stringify(text.slice(0, 200).trim())}`);
}
