import { homedir } from 'node:os';
import { join } from 'node:path';
import { refuseBackup } from '../../core/backup-preflight.ts';
import { chosenEngine } from '../../core/chosen-engine.ts';
import { chooseEngine } from '../../engine/choose-engine.ts';
import type { Engine, Finding, ServerFacts } from '../../engine/engine.ts';
import { findEngines, type FoundEngines } from '../../engine/find-engines.ts';
import type { Context } from '../context.ts';

/** A search for the tools of this host that goes on while other things are done; disposing of it ends it. */
export interface EngineFinding extends Disposable {
  readonly found: Promise<FoundEngines>;
}

export function startFinding({ environment, signal }: Context): EngineFinding {
  const { path, libraryPath } = environment;
  const env: Record<string, string> = libraryPath === undefined ? {} : { LD_LIBRARY_PATH: libraryPath };
  const end = new AbortController();
  const found = findEngines({ path, env, signal: AbortSignal.any([signal, end.signal]) });
  // Whoever waits for it hears of a failure; where something else failed first, nobody does.
  found.catch(() => undefined);
  return { found, [Symbol.dispose]: () => end.abort() };
}

/** The tool for this server, or for the one that a backup was taken of. @throws PermanentFailure `tool-missing` */
export async function engineFor(context: Context, server: Pick<ServerFacts, 'vendor' | 'version'>): Promise<Engine> {
  using search = startFinding(context);
  return engineAmong(await search.found, server);
}

/** As `engineFor`, of what was found already. */
export function engineAmong(found: FoundEngines, server: Pick<ServerFacts, 'vendor' | 'version'>): Engine {
  return chosenEngine(server, { found: found.findings, choice: chooseEngine(server, found.engines) });
}

/** Tells of warnings. @throws PermanentFailure for the first error */
export function refuseErrors({ output }: Context, findings: readonly Finding[]): void {
  for (const { level, message } of findings) if (level === 'warning') output.warn(message);
  refuseBackup(findings);
}

/** The same that an agent uses, so that both know the same of data directories. */
export function stateDirectory({ environment }: Context, given: string | undefined): string {
  if (given !== undefined) return given;
  if (process.geteuid?.() === 0) return '/var/lib/holdfast';
  return join(environment.stateHome ?? join(homedir(), '.local', 'state'), 'holdfast');
}
