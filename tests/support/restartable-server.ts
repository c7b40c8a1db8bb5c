import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../scripts/setup/run.ts';
import { findServerUsing } from '../../src/core/server-using.ts';
import { until } from './agents.ts';
import { newDataDirectory } from './data-directory.ts';
import { serverUser } from './server-user.ts';

/** A MariaDB server that commands stop and start, as an init system would. */
export interface RestartableServer extends AsyncDisposable {
  readonly socket: string;
  readonly dataDirectory: string;
  /** Path of a program without arguments. */
  readonly startCommand: string;
  readonly stopCommand: string;
  /** With SIGKILL; nobody starts it again by themselves. */
  kill(): Promise<void>;
  /** Rows of the last statement as text, as root; throws with the server's error. */
  query(sql: string): Promise<string[][]>;
}

/** @param options `bin`: folder of the server's programs; `more`: arguments of the server */
export async function startRestartable(options: {
  readonly bin: string;
  readonly more?: readonly string[];
}): Promise<RestartableServer> {
  const { bin, more = [] } = options;
  await using stack = new AsyncDisposableStack();
  const root = await mkdtemp(join(tmpdir(), 'hf-restartable-'));
  stack.defer(() => rm(root, { recursive: true, force: true, maxRetries: 3 }));
  const user = serverUser();
  const dataDirectory = await newDataDirectory({ bin, into: join(root, 'data'), user });
  await user.own(root);
  const [socket, pidFile] = [join(root, 's.sock'), join(root, 'pid')];
  const server = [
    join(bin, 'mariadbd'),
    '--no-defaults',
    ...user.arguments,
    `--datadir=${dataDirectory}`,
    `--socket=${socket}`,
    `--pid-file=${pidFile}`,
    '--skip-networking',
    '--innodb-buffer-pool-size=64M',
    ...more,
  ].join(' ');
  const [startCommand, stopCommand] = [join(root, 'start'), join(root, 'stop')];
  await script(startCommand, [`setsid ${server} >>${join(root, 'log')} 2>&1 </dev/null &`, 'sleep 0.5']);
  await script(stopCommand, [
    `pid=$(cat ${pidFile}) || exit 0`,
    'kill $pid',
    'while kill -0 $pid 2>/dev/null; do sleep 0.05; done',
  ]);
  const query = async (sql: string): Promise<string[][]> => ask(join(bin, 'mariadb'), socket, sql);
  const kill = async (): Promise<void> => killServer(dataDirectory);
  stack.defer(kill);
  await run('/bin/sh', [startCommand]);
  await until(async () =>
    query('SELECT 1').then(
      () => true,
      () => false,
    ),
  );
  const owned = stack.move();
  return {
    socket,
    dataDirectory,
    startCommand,
    stopCommand,
    query,
    kill,
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

async function killServer(dataDirectory: string): Promise<void> {
  const server = await findServerUsing(dataDirectory);
  if (server !== undefined) process.kill(server.pid, 'SIGKILL');
  await until(async () => (await findServerUsing(dataDirectory)) === undefined);
}

async function script(path: string, lines: readonly string[]): Promise<void> {
  await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(path, 0o755);
}

async function ask(client: string, socket: string, sql: string): Promise<string[][]> {
  const arguments_ = [
    '--no-defaults',
    '--default-character-set=utf8mb4',
    `--socket=${socket}`,
    '--user=root',
    '--batch',
    '--skip-column-names',
  ];
  const printed = await run(client, [...arguments_, `--execute=${sql}`]);
  return printed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}
