import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { chooseEngine } from '../../engine/choose-engine.ts';
import type { Engine, Finding, ServerFacts, Vendor } from '../../engine/engine.ts';
import { findEngines } from '../../engine/find-engines.ts';
import { InvalidRequest, PermanentFailure } from '../../lib/failure.ts';
import type { Context } from '../context.ts';

/** The tool for this server, or for the one that a backup was taken of. @throws PermanentFailure `tool-missing` */
export async function engineFor(
  { environment, signal }: Context,
  server: Pick<ServerFacts, 'vendor' | 'version'>,
): Promise<Engine> {
  const { path, libraryPath } = environment;
  const env: Record<string, string> = libraryPath === undefined ? {} : { LD_LIBRARY_PATH: libraryPath };
  const found = await findEngines({ path, env, signal });
  const { engine, findings } = chooseEngine(server, found.engines);
  if (engine) return engine;
  const last = findings.at(-1);
  throw new PermanentFailure(
    'tool-missing',
    `Cannot go on as no tool fits ${server.vendor} ${server.version}: ${last?.message ?? 'none was found'}`,
    {
      evidence: [...found.findings, ...findings].map(({ message }) => message),
      ...(last?.nextStep === undefined ? {} : { nextStep: last.nextStep }),
    },
  );
}

/** Tells of warnings. @throws PermanentFailure for the first error */
export function refuseErrors({ output }: Context, findings: readonly Finding[]): void {
  for (const { level, message } of findings) if (level === 'warning') output.warn(message);
  const errors = findings.filter(({ level }) => level === 'error');
  const [first] = errors;
  if (!first) return;
  throw new PermanentFailure(
    first.code,
    `Cannot take the backup as the check before found a reason against it: ${first.message}`,
    {
      evidence: errors.slice(1).map(({ message }) => message),
      ...(first.nextStep === undefined ? {} : { nextStep: first.nextStep }),
    },
  );
}

/** Names of server programs, the vendor's own first. */
const programs: Readonly<Record<Vendor, readonly string[]>> = {
  MariaDB: ['mariadbd', 'mysqld'],
  MySQL: ['mysqld'],
  'Percona Server': ['mysqld'],
};

/** @throws InvalidRequest `server-program-missing` */
export async function serverProgram({ environment }: Context, vendor: Vendor): Promise<string> {
  const folders = [...environment.path.split(delimiter), '/usr/sbin', '/usr/libexec', '/usr/local/sbin'];
  for (const folder of folders.filter((each) => isAbsolute(each))) {
    for (const name of programs[vendor]) {
      const program = join(folder, name);
      if (await isProgram(program)) return program;
    }
  }
  throw new InvalidRequest(
    'server-program-missing',
    `Cannot start a server for the drill as there is none of ${vendor} on this host`,
    { nextStep: "Install the server's package, or name its program with --server-program." },
  );
}

/** The same that an agent uses, so that both know the same of data directories. */
export function stateDirectory({ environment }: Context, given: string | undefined): string {
  if (given !== undefined) return given;
  if (process.geteuid?.() === 0) return '/var/lib/holdfast';
  return join(environment.stateHome ?? join(homedir(), '.local', 'state'), 'holdfast');
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
