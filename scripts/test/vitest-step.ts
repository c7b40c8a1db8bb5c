import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COUNT_FILE_VARIABLE } from './count-reporter.ts';
import { execute, type Outcome, type Step } from './step.ts';

interface VitestOptions {
  /** Path of the Node to run on. */
  readonly node: string;
  readonly projects: readonly string[];
  /** Parts of file names; all files when empty. */
  readonly filters: readonly string[];
  readonly limitMs: number;
  /** Variables for the tests, beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A step that is one run of vitest; a run that crashes, hangs or has no test counts as a failure. */
export function vitest(name: string, options: VitestOptions): Step {
  return {
    name,
    run: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'holdfast-counts-'));
      try {
        return await runVitest(join(folder, 'counts.json'), options);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function runVitest(countFile: string, options: VitestOptions): Promise<Outcome> {
  const code = await execute(
    [
      options.node,
      'node_modules/vitest/vitest.mjs',
      'run',
      ...options.projects.flatMap((project) => ['--project', project]),
      '--reporter=default',
      '--reporter=./scripts/test/count-reporter.ts',
      ...options.filters,
    ],
    { limitMs: options.limitMs, environment: { ...options.environment, [COUNT_FILE_VARIABLE]: countFile } },
  );
  const counts = await readCounts(countFile);
  const isCounted = counts.passed + counts.failed + counts.skipped.length > 0;
  const isExplained = code === 0 || counts.failed > 0;
  if (isCounted && isExplained) {
    return counts;
  }
  console.log(isCounted ? `vitest ended with exit code ${code} though no test failed` : 'vitest ran no test');
  return { ...counts, failed: counts.failed + 1 };
}

async function readCounts(file: string): Promise<Outcome> {
  const nothing: Outcome = { passed: 0, failed: 0, skipped: [] };
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const counts: unknown = text === undefined ? nothing : JSON.parse(text);
  return isOutcome(counts) ? counts : nothing;
}

function isOutcome(value: unknown): value is Outcome {
  return typeof value === 'object' && value !== null && 'passed' in value && 'failed' in value && 'skipped' in value;
}
