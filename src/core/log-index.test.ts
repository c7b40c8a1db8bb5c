import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settleLogIndexes } from './log-index.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hf-index-'));
  await mkdir(join(directory, 'odd.index'));
  await writeFile(join(directory, 'bin.000007'), 'events');
});
afterEach(() => rm(directory, { recursive: true }));

test.each([
  ['a path on the source', '/var/log/mysql/bin.000007\n', './bin.000007\n'],
  ['a log beside it', './bin.000007\n', './bin.000007\n'],
  ['a log that the backup does not hold', '/var/log/mysql/bin.000006\n/var/log/mysql/bin.000007\n', './bin.000007\n'],
  ['nothing', '', ''],
  ['too much to be one', `${'/x/bin.000007\n'.repeat(100_000)}`, ''],
])('of a binary log with %s names the log beside it', async (_what, text, expected) => {
  await writeFile(join(directory, 'bin.index'), text);
  await settleLogIndexes(directory);
  expect(await readFile(join(directory, 'bin.index'), 'utf8')).toBe(expected);
});
