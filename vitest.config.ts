import { constants, accessSync, statfsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const GLOBAL_SETUP = ['tests/support/global-setup.ts'];

/** Tests that measure how long a server is held up: they run by themselves, after the others. */
const TIMING = ['tests/integration/engine-locks.test.ts', 'tests/integration/faults/stall-locked.test.ts'];

/** Limits that end what hangs. None judges how fast something is: a machine that others use may be ten times slower. */
const PATIENT = { testTimeout: 180_000, hookTimeout: 180_000, expect: { poll: { timeout: 10_000 } } };

/** Unit tests wait for thousands of syncs of small files, which cost next to nothing where files are in memory. */
const IN_MEMORY = '/dev/shm';
const UNIT_ENVIRONMENT: Record<string, string> = hasRoom(IN_MEMORY) ? { TMPDIR: IN_MEMORY } : {};

/** Files that take longest: begun last, they would be waited for while a processor has nothing to do. */
const LONGEST = ['tests/format/model.test.ts', 'tests/integration/faults/kill-backup.test.ts'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => LONGEST.some((path) => moduleId.endsWith(path));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** `unit` needs nothing but Node; the others use the tools and servers of scripts/setup, which global-setup.ts provides. */
export default defineConfig({
  test: {
    // Tests often wait for a server, a disk or a tool: on two processors, three files at a time end sooner than two.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'web/**/*.test.ts'],
          env: UNIT_ENVIRONMENT,
          // They keep nothing for each other: a process and its modules may serve many of them.
          isolate: false,
          ...PATIENT,
        },
      },
      {
        test: {
          name: 'contract',
          include: ['tests/contract/**/*.test.ts', 'tests/format/**/*.test.ts'],
          globalSetup: GLOBAL_SETUP,
          ...PATIENT,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          exclude: TIMING,
          globalSetup: [...GLOBAL_SETUP, 'tests/support/programs.ts'],
          // They wait for more than the others: for servers that refuse, stop or do not answer.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
          ...PATIENT,
        },
      },
      {
        test: {
          name: 'timing',
          include: TIMING,
          globalSetup: GLOBAL_SETUP,
          // Each waits nearly all the time and disturbs nobody.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          ...PATIENT,
        },
      },
      {
        test: {
          name: 'web',
          include: ['tests/web/**/*.test.ts'],
          globalSetup: [...GLOBAL_SETUP, 'tests/web/support/build-web.ts'],
          ...PATIENT,
        },
      },
    ],
  },
});

/** Containers often have a small one. */
function hasRoom(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize >= 2 ** 28;
  } catch {
    return false;
  }
}
