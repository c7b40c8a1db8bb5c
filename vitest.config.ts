import { defineConfig } from 'vitest/config';

const GLOBAL_SETUP = ['tests/support/global-setup.ts'];

/** Tests that measure how long a server is held up: they run alone, after the others. */
const TIMING = ['tests/integration/engine-locks.test.ts', 'tests/integration/faults/stall-locked.test.ts'];

/** Limits that end what hangs. None judges how fast something is: a machine that others use may be ten times slower. */
const PATIENT = { testTimeout: 180_000, hookTimeout: 180_000, expect: { poll: { timeout: 10_000 } } };

/** `unit` needs nothing but Node; the others use the tools and servers of scripts/setup, which global-setup.ts provides. */
export default defineConfig({
  test: {
    // Tests often wait for a server, a disk or a tool: on two processors, three files at a time end sooner than two.
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'web/**/*.test.ts'],
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
          globalSetup: GLOBAL_SETUP,
          sequence: { groupOrder: 1 },
          ...PATIENT,
        },
      },
      {
        test: {
          name: 'timing',
          include: TIMING,
          globalSetup: GLOBAL_SETUP,
          maxWorkers: 1,
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
