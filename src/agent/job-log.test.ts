import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { JobLog } from './job-log.ts';

const signal = new AbortController().signal;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hf-log-'));
});
afterEach(async () => rm(directory, { recursive: true, force: true }));

async function lines(log: JobLog, from = 0, idleMs = 0): Promise<string[]> {
  let text = '';
  for await (const bytes of log.read({ from, signal, idleMs })) text += bytes.toString();
  return text.split('\n').slice(0, -1);
}

test('gives its lines from any one on, and goes on after a restart', async () => {
  const log = await JobLog.open({ directory, name: 'a' });
  for (const line of ['one', 'two', 'three\nand\r\nmore']) log.add(line);
  await log.flush();
  expect(await lines(log)).toEqual(['one', 'two', 'three and more']);
  expect(await lines(log, 2)).toEqual(['three and more']);
  expect(await lines(log, 9)).toEqual([]);
  await log.close();
  // A line that a killed process left without its end is none.
  await appendFile(join(directory, 'a.0.log'), 'cut');
  await using again = await JobLog.open({ directory, name: 'a' });
  again.add('four');
  await again.flush();
  expect(await lines(again, 1)).toEqual(['two', 'three and more', 'four']);
  await using other = await JobLog.open({ directory, name: 'b' });
  expect(await lines(other)).toEqual([]);
});

test('is followed while it grows, by several, until it is closed', async () => {
  const log = await JobLog.open({ directory, name: 'a', fileBytes: 300 });
  const expected = Array.from({ length: 60 }, (_, number) => `line ${number}`);
  const followers = [lines(log, 0, 5_000), lines(log, 10, 5_000)];
  for (const line of expected) {
    log.add(line);
    if (line.endsWith('7')) await log.flush();
  }
  const quiet = await lines(log, 60, 30);
  await log.close();
  expect(quiet).toEqual([]);
  const [all, later] = await Promise.all(followers);
  expect(all).toEqual(expected);
  expect(later).toEqual(expected.slice(10));
});

test('keeps the newest lines in bounded room, with their numbers', async () => {
  const options = { directory, name: 'a', fileBytes: 1_000 };
  const log = await JobLog.open(options);
  for (let number = 0; number < 1_000; number += 10) {
    for (let each = number; each < number + 10; each++) log.add(`line ${each}`);
    await log.flush();
  }
  await log.close();
  expect((await readdir(directory)).length).toBeLessThanOrEqual(2);
  await using read = await JobLog.open({ ...options, isClosed: true });
  const first = read.firstFrom(0);
  expect(first).toBeGreaterThan(700);
  expect(await lines(read)).toEqual(Array.from({ length: 1_000 - first }, (_, index) => `line ${first + index}`));
  await JobLog.remove(options);
  expect(await readdir(directory)).toEqual([]);
});
