import type { Engine, Finding, ServerFacts } from './engine.ts';
import { compareVersions } from './versions.ts';
import { neededTool, toolFits } from './tool-fits.ts';

export interface Choice {
  /** Undefined when none fits; the findings say why. */
  readonly engine: Engine | undefined;
  /** One for each engine that was looked at, or what to install when there is none. */
  readonly findings: readonly Finding[];
}

/** The newest of the engines that fit the server; one that fits without a warning goes first. */
export function chooseEngine(server: Pick<ServerFacts, 'vendor' | 'version'>, engines: readonly Engine[]): Choice {
  const looked = engines.map((engine) => ({ engine, finding: toolFits(engine, server) }));
  const fitting = looked
    .filter(({ finding }) => finding.level !== 'error')
    .toSorted((left, right) => compare(left, right));
  const findings = looked.map(({ finding }) => finding);
  const [best] = fitting;
  if (best) return { engine: best.engine, findings };
  return { engine: undefined, findings: [...findings, missing(server, engines)] };
}

interface Looked {
  readonly engine: Engine;
  readonly finding: Finding;
}

function compare(left: Looked, right: Looked): number {
  const level = Number(left.finding.level === 'warning') - Number(right.finding.level === 'warning');
  return level === 0 ? compareVersions(right.engine.version, left.engine.version) : level;
}

function missing(server: Pick<ServerFacts, 'vendor' | 'version'>, engines: readonly Engine[]): Finding {
  const found = engines.map((engine) => `${engine.name} ${engine.version}`).join(', ');
  return {
    level: 'error',
    code: 'tool-missing',
    message: `No tool on the PATH can back up ${server.vendor} ${server.version}: found ${found === '' ? 'none' : found}.`,
    nextStep: neededTool(server),
  };
}
