import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { COUNT_FILE_VARIABLE } from './count-reporter.ts';

test('passed, failed and broken are counted, and a skip keeps its reason or counts as failed', async () => {
  const counts = await countsOf({
    'some.test.ts': `
      import { describe, expect, test } from 'vitest';
      describe('a group', () => {
        test('passes', () => {});
        test('fails', () => expect(1).toBe(2));
        test('is skipped', (context) => context.skip('no such tool'));
        test.skip('is forgotten', () => {});
      });`,
    'broken.test.ts': "import './nowhere.ts';",
  });
  expect(counts).toEqual({
    passed: 1,
    failed: 3,
    skipped: [
      { name: 'a group > is skipped', reason: 'no such tool' },
      { name: 'a group > is forgotten', reason: 'no reason given' },
    ],
  });
}, 60_000);

test('an error that no test awaits is a failure', async () => {
  const counts = await countsOf({
    'some.test.ts': `
      import { test } from 'vitest';
      test('passes', async () => {
        void Promise.reject(new Error('lost'));
        await new Promise((resolve) => setTimeout(resolve, 50));
      });`,
  });
  expect(counts).toEqual({ passed: 1, failed: 1, skipped: [] });
}, 60_000);

async function countsOf(files: Record<string, string>): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-count-'));
  try {
    await symlink(resolve('node_modules'), join(folder, 'node_modules'));
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder, name), text);
    }
    const countFile = join(folder, 'counts.json');
    await runVitest(folder, countFile);
    const counts: unknown = JSON.parse(await readFile(countFile, 'utf8'));
    return counts;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runVitest(root: string, countFile: string): Promise<void> {
  const reporter = resolve('scripts/test/count-reporter.ts');
  const vitest = [resolve('node_modules/vitest/vitest.mjs'), 'run', '--root', root, `--reporter=${reporter}`];
  const env = { ...process.env, [COUNT_FILE_VARIABLE]: countFile };
  return new Promise((done) => {
    execFile(process.execPath, vitest, { cwd: root, env, timeout: 60_000 }, () => done());
  });
}
