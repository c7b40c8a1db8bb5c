import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  bringUpServer,
  type Command,
  commandFor,
  type ControlOptions,
  startServer,
  stopServer,
} from './server-control.ts';

const signal = new AbortController().signal;
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-control-'));
});
afterEach(() => rm(root, { recursive: true }));

const shell = (script: string): Command => ['/bin/sh', '-c', script];
const commands = (script: string) => ({ type: 'commands', stop: shell(script), start: shell(script) }) as const;
const options = (more: Partial<ControlOptions> = {}): ControlOptions => ({
  dataDirectory: root,
  answers: async () => false,
  limitMs: 10_000,
  signal,
  findServer: async () => undefined,
  ...more,
});

test('a unit is stopped and started by systemctl, and its name is never taken for an option', () => {
  expect(commandFor({ type: 'systemd', unit: '-x' }, 'stop')).toEqual([
    '/usr/bin/systemctl',
    '--no-ask-password',
    'stop',
    '--',
    '-x',
  ]);
});

test('a stop ends when the server answers no more and holds no file', async () => {
  const answers = [true, true, false];
  const users = [{ pid: 7, command: 'mariadbd', path: '/x' }, undefined, undefined, undefined];
  await stopServer(
    commands('exit 0'),
    options({ answers: async () => answers.shift() ?? false, findServer: async () => users.shift() }),
  );
  expect([answers.length, users.length]).toEqual([0, 0]);
});

test('a server that stays up is named by its process', async () => {
  const findServer = async () => ({ pid: 7, command: 'mariadbd', path: '/x/ibdata1' });
  await expect(stopServer(commands('exit 0'), options({ limitMs: 1_500, findServer }))).rejects.toMatchObject({
    code: 'server-still-up',
    message: expect.stringContaining('process 7 (mariadbd)'),
  });
});

test('a command that fails is shown with its last lines', async () => {
  const failing = startServer(commands('echo no such unit >&2; exit 5'), options());
  await expect(failing).rejects.toMatchObject({
    code: 'server-start-failed',
    evidence: ['no such unit'],
    message: expect.stringContaining('ended with 5'),
  });
});

test('a command that is not there is named', async () => {
  const config = { type: 'commands', stop: ['/nowhere/stop'], start: ['/nowhere/start'] } as const;
  await expect(stopServer(config, options())).rejects.toMatchObject({
    code: 'server-stop-failed',
    message: expect.stringContaining('/nowhere/stop'),
  });
});

test('a command that hangs is ended with all that it started', async () => {
  const mark = join(root, 'pid');
  await expect(
    stopServer(commands(`sleep 60 & echo $! > ${mark}; wait`), options({ limitMs: 1_500 })),
  ).rejects.toMatchObject({ message: expect.stringContaining('longer than 1.5 s') });
  const pid = Number(await readFile(mark, 'utf8'));
  await expect.poll(() => isRunning(pid)).toBe(false);
});

test('what a start command leaves running lives on, also without a reader of its output', async () => {
  const mark = join(root, 'pid');
  await startServer(
    commands(`(sleep 0.3; echo still here; exec sleep 60) & echo $! > ${mark}`),
    options({ answers: async () => true }),
  );
  const pid = Number(await readFile(mark, 'utf8'));
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await isRunning(pid)).toBe(true);
  process.kill(pid);
});

test('a server that never answers is a failure at the limit', async () => {
  await expect(startServer(commands('exit 0'), options({ limitMs: 1_500 }))).rejects.toMatchObject({
    code: 'server-not-up',
  });
});

test('a server that goes on answering is not started a second time, but by systemd, which takes back a stop', async () => {
  const up = options({ limitMs: 2_000, answers: async () => true });
  await bringUpServer(commands('exit 1'), up);
  const systemctl = join(root, 'systemctl');
  await writeFile(systemctl, `#!/bin/sh\necho "$@" >${root}/asked\n`, { mode: 0o755 });
  await bringUpServer({ type: 'systemd', unit: 'db', systemctl }, up);
  expect(await readFile(join(root, 'asked'), 'utf8')).toBe('--no-ask-password start -- db\n');
});

test('a server that ends is started when it has ended, not before', async () => {
  const users = [{ pid: 7, command: 'mariadbd', path: '/x' }, undefined];
  const answers = [true, false, false];
  const findServer = async () => users.shift();
  const isStarted = async (): Promise<boolean> =>
    answers.shift() ?? (await readFile(join(root, 'started'), 'utf8').catch(() => '')) !== '';
  const ends = options({ answers: isStarted, findServer });
  await bringUpServer(commands(`echo yes >${root}/started`), ends);
  expect(users).toEqual([]);
});

test('a server that neither answers nor ends is not started beside itself', async () => {
  const findServer = async () => ({ pid: 7, command: 'mariadbd', path: '/x/ibdata1' });
  await expect(
    bringUpServer(commands(`echo yes >${root}/started`), options({ limitMs: 1_500, findServer })),
  ).rejects.toMatchObject({
    code: 'server-still-up',
    message: expect.stringContaining('process 7 (mariadbd)'),
  });
  await expect(readFile(join(root, 'started'))).rejects.toThrow();
});

test('a cancelled stop throws the reason at once', async () => {
  const reason = new Error('cancelled');
  const stopping = stopServer(commands('sleep 60'), options({ limitMs: 60_000, signal: AbortSignal.abort(reason) }));
  await expect(stopping).rejects.toBe(reason);
});

/** A process that nobody has reaped yet does not run. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !stat.includes(') Z');
}
