import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';
import type { Outcome } from './step.ts';

/** Where the counts go: a file named by the one who runs vitest. */
export const COUNT_FILE_VARIABLE = 'HOLDFAST_TEST_COUNTS';

/** Writes how many tests passed and failed, and which were skipped and why. A skip without a reason is a failure, too. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const file = process.env[COUNT_FILE_VARIABLE];
    if (file !== undefined) {
      writeFileSync(file, JSON.stringify(count(modules, errors)));
    }
  }
}

function count(modules: readonly TestModule[], errors: readonly SerializedError[]): Outcome {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const state = (name: string): TestCase[] => tests.filter((test) => test.result().state === name);
  // A file that cannot be loaded, or whose hooks fail, may have no failed test of its own.
  const broken = modules.filter((module) => module.state() === 'failed' && !hasFailedTest(module));
  const unexplained = state('skipped').filter((test) => reasonOf(test) === undefined);
  return {
    passed: state('passed').length,
    failed: [...state('failed'), ...state('pending'), ...unexplained, ...broken, ...errors].length,
    skipped: state('skipped').map((test) => ({ name: test.fullName, reason: reasonOf(test) ?? 'no reason given' })),
  };
}

function hasFailedTest(module: TestModule): boolean {
  return [...module.children.allTests()].some((test) => test.result().state === 'failed');
}

function reasonOf(test: TestCase): string | undefined {
  const result = test.result();
  return result.state === 'skipped' ? result.note : undefined;
}
