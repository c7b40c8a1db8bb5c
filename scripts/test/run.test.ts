import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);

test.each([
  [['kills'], /how many: \.\/test kills 2000/],
  [['kills', 'many'], /how many/],
  [['kill'], /no such part: .*web and kills are/],
])(
  '%s ends with what can be said instead',
  async (words, expected) => {
    const ended = run(process.execPath, ['scripts/test/run.ts', ...words]);
    await expect(ended).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(expected) });
  },
  60_000,
);
