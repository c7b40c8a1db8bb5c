import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemFiles } from '../core/placement-files.ts';
import { systemClock } from '../lib/clock.ts';
import { Failure } from '../lib/failure.ts';
import { type Job, type JobRequest, jobRequestSchemas } from '../api/jobs.ts';
import type { Runner, RunTools } from './active-job.ts';
import { JobStore, type StateFiles } from './job-store.ts';
import { Jobs, type JobsOptions } from './jobs.ts';

const id = (n: number): string => `20261121T0143${String(n).padStart(2, '0')}Z-9f3a21bc`;
const request = (attempt = 1, name = 'a') =>
  jobRequestSchemas.backup.parse({ attempt, name, service: 's', location: 'main' });
const drill = jobRequestSchemas.drill.parse({ attempt: 1, backup: id(1), location: 'main' });
const result = {
  serverVersion: '10.11',
  tables: 1,
  views: 0,
  unchecked: [],
  checksums: {},
  steps: [{ name: 'download', ms: 1 }],
};

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hf-jobs-'));
});
afterEach(async () => rm(directory, { recursive: true, force: true }));

async function open(run: Runner, options: Partial<JobsOptions> & { files?: StateFiles } = {}) {
  const troubles: string[] = [];
  const store = await JobStore.open(directory, options.files);
  const onTrouble = (message: string): void => void troubles.push(message);
  const opened = await Jobs.open({ store, clock: systemClock, run, hasServer: true, onTrouble, ...options });
  return { ...opened, troubles };
}

/** Runs until its test lets it end. */
function held() {
  const waiting: { tools: RunTools; succeed: (result: unknown) => void; fail: (error: unknown) => void }[] = [];
  const run: Runner = async (_, tools) => {
    tools.report({ step: 'copying', bytes: { read: 1 }, isLocked: false });
    return new Promise((succeed, fail) => {
      waiting.push({ tools, succeed, fail });
      tools.signal.addEventListener('abort', () => fail(tools.signal.reason));
    });
  };
  return { run, waiting };
}

async function ended(jobs: Jobs, kind: Job['kind'], name: string): Promise<Job> {
  while (jobs.get(kind, name).endedAt === undefined) await systemClock.sleep(2);
  return jobs.get(kind, name);
}

describe('what is asked for twice or at the same time', () => {
  test('follows the table', async () => {
    const { run, waiting } = held();
    const { jobs } = await open(run);
    await jobs.start('backup', id(1), request(2));
    const outcome = async (kind: Job['kind'], name: string, wish: JobRequest) =>
      jobs.start(kind, name, wish).then(
        (job) => `${job.attempt} ${job.state}`,
        (error: unknown) => (error instanceof Failure ? error.code : error),
      );
    expect(await outcome('backup', id(1), request(2))).toBe('2 Running');
    expect(await outcome('backup', id(1), request(2, 'b'))).toBe('attempt-differs');
    expect(await outcome('backup', id(1), request(1))).toBe('attempt-superseded');
    expect(await outcome('backup', id(1), request(3))).toBe('busy');
    expect(await outcome('backup', id(2), request())).toBe('busy');
    expect(await outcome('drill', 'd', drill)).toBe('busy');
    waiting[0]?.fail(new Error('broken'));
    expect(await ended(jobs, 'backup', id(1))).toMatchObject({ state: 'Failed', failure: { code: 'unexpected' } });
    expect(await outcome('backup', id(1), request(2))).toBe('2 Failed');
    expect(await outcome('backup', id(1), request(1))).toBe('attempt-superseded');
    expect(await outcome('backup', id(1), request(3))).toBe('3 Running');
    await jobs[Symbol.asyncDispose]();
    expect(await outcome('drill', 'd', drill)).toBe('agent-stopped');
  });

  test('begins one job, however many ask at once', async () => {
    const { run, waiting } = held();
    const { jobs } = await open(run);
    const same = await Promise.all([1, 2, 3].map(async () => jobs.start('backup', id(1), request())));
    expect(new Set(same.map((job) => job.startedAt)).size).toBe(1);
    expect(waiting).toHaveLength(1);
    expect(jobs.list()).toHaveLength(1);
    await jobs[Symbol.asyncDispose]();
  });

  test('runs a drill and a restore side by side where there is no server', async () => {
    const { run } = held();
    const { jobs } = await open(run, { hasServer: false });
    await jobs.start('drill', 'd', drill);
    const target = { directory: '/x' };
    const restore = jobRequestSchemas.restore.parse({ attempt: 1, backup: id(1), location: 'main', target });
    await jobs.start('restore', 'r', restore);
    await expect(jobs.start('drill', 'e', drill)).rejects.toMatchObject({ code: 'busy' });
    await jobs[Symbol.asyncDispose]();
  });
});

test('a job that succeeded although it was cancelled has succeeded', async () => {
  const run: Runner = async (_, tools) => {
    await new Promise((resolve) => tools.signal.addEventListener('abort', resolve));
    return result;
  };
  const { jobs } = await open(run);
  await jobs.start('drill', 'd', drill);
  await jobs.cancel('drill', 'd');
  expect(await ended(jobs, 'drill', 'd')).toMatchObject({ state: 'Succeeded', isCancelled: true, result });
});

test('what must be seen is not hidden by a cancellation, and a result that makes no sense is no success', async () => {
  const errors = [new Failure('roll-back-failed', 'Look at it'), new Error('tool was killed')];
  const run: Runner = async (_, tools) => {
    await new Promise((resolve) => tools.signal.addEventListener('abort', resolve));
    throw errors.shift() ?? new Error('none left');
  };
  const { jobs } = await open(run);
  for (const [name, expected] of [
    ['d1', { state: 'Failed', failure: { code: 'roll-back-failed' } }],
    ['d2', { state: 'Cancelled', failure: { code: 'cancelled' } }],
  ] as const) {
    await jobs.start('drill', name, drill);
    await jobs.cancel('drill', name);
    expect(await ended(jobs, 'drill', name)).toMatchObject(expected);
  }
  const { jobs: others } = await open(async () => ({ tables: 'many' }));
  await others.start('drill', 'd3', drill);
  expect(await ended(others, 'drill', 'd3')).toMatchObject({ state: 'Failed', failure: { code: 'unexpected' } });
});

test('keeps the newest records and their logs only', async () => {
  const { jobs } = await open(async () => result, { keep: 3 });
  for (let n = 0; n < 6; n++) {
    await jobs.start('drill', `d${n}`, drill);
    await ended(jobs, 'drill', `d${n}`);
    await systemClock.sleep(3);
  }
  expect(jobs.list().map((job) => job.id)).toEqual(['d5', 'd4', 'd3']);
  await expect.poll(async () => (await readdir(directory)).length).toBe(6);
  const { jobs: reopened } = await open(async () => result, { keep: 2 });
  expect(reopened.list().map((job) => job.id)).toEqual(['d5', 'd4']);
});

test('a record that cannot be read is set aside', async () => {
  await writeFile(join(directory, 'drill.x.json'), '{"version":1,"job":{');
  await writeFile(join(directory, 'drill.y.json'), '{"version":2}');
  const { jobs, damaged } = await open(async () => result);
  expect(jobs.list()).toEqual([]);
  expect(damaged).toHaveLength(2);
  expect((await readdir(directory)).toSorted()).toEqual(['drill.x.json.damaged', 'drill.y.json.damaged']);
});

describe('a process that dies', () => {
  /** Lets some writes through; the next one is the last thing that happens, before or after it took effect. */
  function dying(writes: number, isWritten: boolean) {
    let left = writes;
    let isDead = false;
    const last = Promise.withResolvers<void>();
    const writeDurably: StateFiles['writeDurably'] = async (path, text) => {
      if (isDead) throw new Error('dead');
      left -= 1;
      if (left >= 0) return systemFiles.writeDurably(path, text);
      isDead = true;
      try {
        if (isWritten) await systemFiles.writeDurably(path, text);
      } finally {
        last.resolve();
      }
      throw new Error('dead');
    };
    const files: StateFiles = { writeDurably, unlink: systemFiles.unlink };
    const lastWrite = async (): Promise<void> => (isDead ? last.promise : undefined);
    return { files, died: () => isDead, lastWrite };
  }

  const cases = [0, 1, 2, 3, 4].flatMap((writes) => [false, true].map((isWritten) => ({ writes, isWritten })));

  test.each(cases)('at write $writes, done: $isWritten, is found out', async ({ writes, isWritten }) => {
    const { files, died, lastWrite } = dying(writes, isWritten);
    const run: Runner = async (_, tools) => {
      tools.report({ step: 'download', bytes: { read: 1 }, isLocked: false });
      await systemClock.sleep(5);
      tools.report({ step: 'check', bytes: { read: 2 }, isLocked: false });
      await systemClock.sleep(5);
      return result;
    };
    const quick = { ...systemClock, sleep: async () => undefined };
    const { jobs } = await open(run, { files, clock: quick });
    const answered = await jobs.start('drill', 'd', drill).catch(() => undefined);
    // Without a record nobody was told that the job began.
    expect(answered === undefined).toBe(writes === 0);
    while (answered !== undefined && !died() && jobs.get('drill', 'd').endedAt === undefined)
      await systemClock.sleep(1);
    // A process that is dead writes nothing any more.
    await lastWrite();
    await systemClock.sleep(30);

    const { jobs: restarted, interrupted } = await open(async () => result);
    const [found] = restarted.list();
    if (answered !== undefined) expect(found).toBeDefined();
    if (found === undefined) return;
    const isTold = found.state === 'Succeeded' || found.failure?.code === 'agent-restarted';
    expect({ isTold, state: found.state, count: interrupted.length }).toMatchObject({
      isTold: true,
      count: found.state === 'Failed' ? 1 : 0,
    });
    // The way is free for another attempt, and it ends on disk.
    if (found.state === 'Succeeded') return;
    await restarted.start('drill', 'd', { ...drill, attempt: 2 });
    expect(await ended(restarted, 'drill', 'd')).toMatchObject({ state: 'Succeeded', attempt: 2 });
    const { jobs: last } = await open(async () => result);
    expect(last.list()).toMatchObject([{ state: 'Succeeded', attempt: 2 }]);
  });

  test('is told of without a disk that can be written, and takes no job', async () => {
    const { files } = dying(0, false);
    const { jobs } = await open(async () => result, { files });
    await expect(jobs.start('drill', 'd', drill)).rejects.toMatchObject({ code: 'agent-state-not-written' });
    expect(jobs.list()).toEqual([]);
    expect(() => jobs.get('drill', 'd')).toThrow(/no record/);
  });
});
