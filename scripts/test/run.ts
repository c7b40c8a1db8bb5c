import { openApiComplaints } from '../openapi.ts';
import { ensureTestTools } from '../setup/test-tools.ts';
import { lockfileComplaints, machineComplaints } from './house.ts';
import { packComplaints, packedProgramComplaints } from './pack.ts';
import { check, command, type Outcome, type Step } from './step.ts';
import { vitest } from './vitest-step.ts';

/**
 * Runs the steps that are named and ends with their counts on a line of their own:
 *
 *     (nothing)                  everything
 *     check                      format, lint, types, unused code, house rules, build
 *     unit [part of a name]      unit tests; likewise contract, integration and web
 *     kills <times> [file]       the tool, the agent and the database killed so many times each; `kill-manager`: the manager
 */
const MINUTE = 60_000;
/** What one kill may take, with what is looked at afterwards. */
const KILL_MINUTES = 0.5;
/** The tests that measure time run by themselves, after the others. */
const INTEGRATION = ['integration', 'timing'];
/** What is left to chance has been played on the Node that is shipped; the next one shall only show that it runs. */
const SMALL_BUDGETS = { HOLDFAST_MODEL_RUNS: '5', HOLDFAST_FUZZ_RUNS: '2' };

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const [part, ...filters] = words;
  const steps = part === undefined ? allSteps() : partSteps(part, filters);
  if (steps.length === 0) {
    console.error(
      part === 'kills'
        ? 'Cannot run kills as it is not said how many: ./test kills 2000 is an example.'
        : `Cannot run ${part} as there is no such part: check, unit, contract, integration, web and kills are.`,
    );
    return 2;
  }
  const outcomes: Outcome[] = [];
  for (const step of steps) {
    outcomes.push(await runStep(step));
  }
  return report(outcomes);
}

function allSteps(): Step[] {
  return [
    ...checkSteps(),
    setUpStep(),
    vitest(`unit and contract tests on Node ${process.version}`, {
      node: process.execPath,
      projects: ['unit', 'contract'],
      filters: [],
      limitMs: 30 * MINUTE,
    }),
    vitest('unit and contract tests on the next Node', {
      node: process.env['HOLDFAST_NODE_NEXT'] ?? 'node',
      projects: ['unit', 'contract'],
      filters: [],
      limitMs: 30 * MINUTE,
      environment: SMALL_BUDGETS,
    }),
    vitest(`integration tests on Node ${process.version}`, {
      node: process.execPath,
      projects: INTEGRATION,
      filters: [],
      limitMs: 30 * MINUTE,
    }),
    vitest('tests in a browser', { node: process.execPath, projects: ['web'], filters: [], limitMs: 30 * MINUTE }),
  ];
}

function partSteps(part: string, filters: readonly string[]): Step[] {
  if (part === 'check') {
    return checkSteps();
  }
  if (part === 'kills') {
    return killSteps(filters);
  }
  if (!['unit', 'contract', 'integration', 'web'].includes(part)) {
    return [];
  }
  const projects = part === 'integration' ? INTEGRATION : [part];
  const tests = vitest(`${part} tests`, { node: process.execPath, projects, filters, limitMs: 30 * MINUTE });
  return part === 'unit' ? [tests] : [setUpStep(), tests];
}

/** The tests end themselves when it takes too long: a little sooner than this. */
function killSteps([times = '', file = 'kill-backup']: readonly string[]): Step[] {
  if (!/^[1-9]\d{0,5}$/.test(times)) {
    return [];
  }
  const limitMs = 15 * MINUTE + Number(times) * MINUTE * KILL_MINUTES;
  const environment = { HOLDFAST_KILLS: times };
  const options = { node: process.execPath, projects: ['integration'], filters: [file], limitMs, environment };
  return [setUpStep(), vitest(`${times} kills each`, options)];
}

/** Apart from the tests, as a first set-up takes minutes. */
function setUpStep(): Step {
  return check('tools and servers for the tests', async () => {
    const { summary } = await ensureTestTools();
    console.log(summary);
    return [];
  });
}

function checkSteps(): Step[] {
  return [
    command('format', ['npx', '--no-install', 'oxfmt', '--check', '.']),
    command('lint', ['npx', '--no-install', 'oxlint']),
    command('types', ['npx', '--no-install', 'tsc', '-p', '.']),
    command('types of the web', ['npx', '--no-install', 'tsc', '-p', 'web']),
    command('unused code', ['npx', '--no-install', 'knip']),
    check('lock file without download addresses', lockfileComplaints),
    check('the OpenAPI document is that of the routes', openApiComplaints),
    check('nothing of this machine in the tree', machineComplaints),
    command('build', [process.execPath, 'scripts/build.ts']),
    check('what npm pack would publish', packComplaints),
    check('the packed program runs by itself', packedProgramComplaints),
  ];
}

async function runStep(step: Step): Promise<Outcome> {
  console.log(`\n== ${step.name}`);
  const begun = performance.now();
  const outcome = await step.run().catch((error: unknown): Outcome => {
    console.log(error instanceof Error ? error.message : error);
    return { passed: 0, failed: 1, skipped: [] };
  });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`== ${step.name}: ${outcome.failed === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
  return outcome;
}

function report(outcomes: readonly Outcome[]): number {
  const sum = (value: (outcome: Outcome) => number): number =>
    outcomes.reduce((total, outcome) => total + value(outcome), 0);
  const failed = sum((outcome) => outcome.failed);
  const skipped = outcomes.flatMap((outcome) => outcome.skipped);
  console.log('');
  for (const { name, reason } of skipped) {
    console.log(`skipped: ${name}: ${reason}`);
  }
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  console.log(`${sum((outcome) => outcome.passed)} passed, ${failed} failed${tail}`);
  return failed === 0 ? 0 : 1;
}
