import type { Engine, Finding, ServerFacts } from '../engine/engine.ts';
import { PermanentFailure } from '../lib/failure.ts';

export interface EngineSearch {
  /** What was found wrong with the tools that are there. */
  readonly found: readonly Finding[];
  /** What `chooseEngine` answered. */
  readonly choice: { readonly engine: Engine | undefined; readonly findings: readonly Finding[] };
}

/** The tool for this server, or for the one that a backup was taken of. @throws PermanentFailure `tool-missing` */
export function chosenEngine(
  server: Pick<ServerFacts, 'vendor' | 'version'>,
  { found, choice: { engine, findings } }: EngineSearch,
): Engine {
  if (engine) return engine;
  const last = findings.at(-1);
  throw new PermanentFailure(
    'tool-missing',
    `Cannot go on as no tool fits ${server.vendor} ${server.version}: ${last?.message ?? 'none was found'}`,
    {
      evidence: [...found, ...findings].map(({ message }) => message),
      ...(last?.nextStep === undefined ? {} : { nextStep: last.nextStep }),
    },
  );
}
