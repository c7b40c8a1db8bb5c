import { chooseEngine } from '../../src/engine/choose-engine.ts';
import type { Engine, ServerConnection } from '../../src/engine/engine.ts';
import { findEngines } from '../../src/engine/find-engines.ts';
import { readServerFacts } from '../../src/engine/server-facts.ts';
import { neverAborted as signal } from './repositories.ts';

/** The engine of the server, from the tools in these folders. */
export async function engineFor({ server, path }: { server: ServerConnection; path: string }): Promise<Engine> {
  const facts = await readServerFacts(server, { signal });
  const { engines } = await findEngines({ path, signal });
  const { engine } = chooseEngine(facts, engines);
  if (!engine) throw new Error(`no engine for ${facts.version} on ${path}`);
  return engine;
}
