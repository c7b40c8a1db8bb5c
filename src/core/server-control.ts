import { type Clock, systemClock } from '../lib/clock.ts';
import { Failure, ToolFailed } from '../lib/failure.ts';
import { runHostCommand } from '../lib/host-command.ts';
import { findServerUsing, type ServerProcess } from './server-using.ts';

/** A program's path, and its arguments. */
export type Command = readonly [string, ...string[]];

/**
 * How a database server is stopped and started. It comes from the host's own configuration, never from a request: commands
 * are lists of arguments whose first is a path, and no shell reads them.
 */
export type ServerControlConfig =
  | { readonly type: 'systemd'; readonly unit: string; readonly systemctl?: string }
  | { readonly type: 'commands'; readonly stop: Command; readonly start: Command };

export interface ControlOptions {
  readonly dataDirectory: string;
  /** Does a server answer a query where this one did? */
  readonly answers: (options: { signal: AbortSignal }) => Promise<boolean>;
  /** For the command and for its effect together. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** The environment of the commands; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  readonly findServer?: (directory: string) => Promise<ServerProcess | undefined>;
}

const pollMs = 200;
/** A server that is asked whether it answers may take this long. */
const answerLimitMs = 5_000;
/** A server that answers for so long is not about to end. */
const steadyMs = 5_000;

/**
 * Stops the server and returns when it is down: it answers no more, and no process holds files of the data directory.
 * @throws ToolFailed `server-stop-failed`, Failure `server-still-up`
 */
export async function stopServer(config: ServerControlConfig, options: ControlOptions): Promise<void> {
  const deadline = deadlineOf(options);
  await runCommand(commandFor(config, 'stop'), 'stop', options);
  let reason = '';
  for (;;) {
    const user = await (options.findServer ?? findServerUsing)(options.dataDirectory);
    const doesAnswer = user === undefined && (await askOnce(options));
    if (user === undefined && !doesAnswer) return;
    reason = user === undefined ? 'it still answers' : `process ${user.pid} (${user.command}) has ${user.path} open`;
    if (!(await waitBefore(deadline, options))) break;
  }
  throw new Failure(
    'server-still-up',
    `Cannot stop the server as it is still up after ${options.limitMs / 1000} s: ${reason}`,
    {
      nextStep: 'See its error log and its unit: stop it by hand, or give it more time in the host file.',
    },
  );
}

/**
 * Starts the server and returns when it answers.
 * @throws ToolFailed `server-start-failed`, Failure `server-not-up`
 */
export async function startServer(config: ServerControlConfig, options: ControlOptions): Promise<void> {
  const deadline = deadlineOf(options);
  await runCommand(commandFor(config, 'start'), 'start', options);
  for (;;) {
    if (await askOnce(options)) return;
    if (!(await waitBefore(deadline, options))) break;
  }
  throw new Failure(
    'server-not-up',
    `Cannot start the server as it does not answer: ${options.limitMs / 1000} s have passed since the command ended`,
    {
      nextStep: 'See the error log of the server for the reason.',
    },
  );
}

/**
 * Has the server run again after a stop that failed or was given up, or whatever came after it. What a stop command began may go
 * on without it, so a server that answers is watched for a while, and one that goes down is started when it is down.
 * @throws Failure `server-still-up` where it neither answers nor ends; what `startServer` throws
 */
export async function bringUpServer(config: ServerControlConfig, options: ControlOptions): Promise<void> {
  const isUp = await settles(options);
  // A unit that runs is left alone by systemd, and a stop that is still to come is taken back.
  if (!isUp || config.type === 'systemd') await startServer(config, options);
}

/** Does the server answer, and go on to? Else it is down. */
async function settles(options: ControlOptions): Promise<boolean> {
  const { clock = systemClock, limitMs, dataDirectory } = options;
  const deadline = deadlineOf(options);
  let since: number | undefined;
  let reason = '';
  do {
    since = (await askOnce(options)) ? (since ?? clock.elapsed()) : undefined;
    if (since === undefined) {
      const user = await (options.findServer ?? findServerUsing)(dataDirectory);
      if (user === undefined) return false;
      reason = `process ${user.pid} (${user.command}) has ${user.path} open`;
    } else if (clock.elapsed() - since >= steadyMs) return true;
  } while (await waitBefore(deadline, options));
  if (since !== undefined) return true;
  throw new Failure(
    'server-still-up',
    `Cannot start the server again as it neither answers nor ends within ${limitMs / 1000} s: ${reason}`,
    { nextStep: 'See its error log for what it waits for.' },
  );
}

/** The arguments that stop or start it. `systemctl` waits for the end of what it asks for. */
export function commandFor(config: ServerControlConfig, action: 'stop' | 'start'): Command {
  return config.type === 'commands'
    ? config[action]
    : [config.systemctl ?? '/usr/bin/systemctl', '--no-ask-password', action, '--', config.unit];
}

async function runCommand(command: Command, action: 'stop' | 'start', options: ControlOptions): Promise<void> {
  const { limitMs, signal } = options;
  const env = options.env ?? { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
  const details = { nextStep: `Run the command by hand on that host: ${command.join(' ')}` };
  const ending = await runHostCommand(command, { env, limitMs, signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new ToolFailed(
      `server-${action}-failed`,
      `Cannot ${action} the server as its command cannot be run: ${command[0]}`,
      { ...details, cause },
    );
  });
  if (ending.exitCode === 0) return;
  const how = ending.isOverdue
    ? `ran longer than ${limitMs / 1000} s`
    : `ended with ${ending.signal ?? ending.exitCode ?? 'nothing'}`;
  throw new ToolFailed(
    `server-${action}-failed`,
    `Cannot ${action} the server as its command failed: ${command[0]} ${how}`,
    {
      ...details,
      evidence: ending.lastLines,
    },
  );
}

async function askOnce({ answers, signal }: ControlOptions): Promise<boolean> {
  try {
    return await answers({ signal: AbortSignal.any([signal, AbortSignal.timeout(answerLimitMs)]) });
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

function deadlineOf({ clock, limitMs }: ControlOptions): number {
  return (clock ?? systemClock).elapsed() + limitMs;
}

/** False when the time is up. */
async function waitBefore(deadline: number, { clock = systemClock, signal }: ControlOptions): Promise<boolean> {
  if (clock.elapsed() >= deadline) return false;
  await clock.sleep(pollMs, { signal });
  return true;
}
