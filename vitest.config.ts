import { defineConfig } from 'vitest/config';

const GLOBAL_SETUP = ['tests/support/global-setup.ts'];

/** `unit` needs nothing but Node; the others use the tools and servers of scripts/setup, which global-setup.ts provides. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'web/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'contract',
          include: ['tests/contract/**/*.test.ts', 'tests/format/**/*.test.ts'],
          globalSetup: GLOBAL_SETUP,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          globalSetup: GLOBAL_SETUP,
          // The servers and tools use all cores, and some tests measure time.
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'web',
          include: ['tests/web/**/*.test.ts'],
          globalSetup: [...GLOBAL_SETUP, 'tests/web/support/build-web.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
