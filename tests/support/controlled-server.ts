import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findServerUsing } from '../../src/core/server-using.ts';
import { Sql } from '../../src/engine/sql.ts';
import { until } from './agents.ts';
import { newDataDirectory } from './data-directory.ts';
import { serverUser } from './server-user.ts';

const run = promisify(execFile);
const signal = new AbortController().signal;

/**
 * A server that two scripts start and stop, as an administrator writes them; each takes its time. A file in the root `no-start`
 * makes the next start do nothing, `fail-start` makes it fail; `hold-start` and `hold-stop` keep the scripts at their end for as long
 * as they are there.
 */
export interface ControlledServer extends AsyncDisposable {
  /** Holds everything of the server. */
  readonly root: string;
  readonly data: string;
  readonly socket: string;
  readonly start: string;
  readonly stop: string;
  query(...statements: readonly string[]): Promise<void>;
  /** The value that this asks for; undefined while no server answers, empty where it cannot be told. */
  value(sql: string): Promise<string | undefined>;
}

export interface ControlledOptions {
  readonly bin: string;
  /** Made in the root, for the server to write to. */
  readonly directories?: readonly string[];
  /** Done before it starts for the first time. */
  readonly before?: (root: string) => Promise<void>;
  readonly options?: (root: string) => readonly string[];
}

export async function startControlledServer({
  bin,
  directories = [],
  before,
  options,
}: ControlledOptions): Promise<ControlledServer> {
  await using undo = new AsyncDisposableStack();
  const root = await mkdtemp(join(tmpdir(), 'hf-place-'));
  undo.defer(() => rm(root, { recursive: true, force: true, maxRetries: 3 }));
  const data = await newDataDirectory({ bin, into: join(root, 'data'), user: serverUser() });
  for (const name of directories) await mkdir(join(root, name), { recursive: true });
  await before?.(root);
  await serverUser().own(root);
  const [socket, start, stop] = [join(root, 's.sock'), join(root, 'start'), join(root, 'stop')];
  const scripts = scriptsOf({ bin, root, data, socket, more: options?.(root) ?? [] });
  for (const [path, text] of [
    [start, scripts.start],
    [stop, scripts.stop],
  ] as const) {
    await writeFile(path, text, { mode: 0o755 });
    await chmod(path, 0o755);
  }
  await run('/bin/sh', [start]);
  undo.defer(async () => {
    const server = await findServerUsing(data);
    if (server !== undefined) process.kill(server.pid, 'SIGKILL');
    await until(async () => (await findServerUsing(data)) === undefined);
  });
  const value = async (sql: string): Promise<string | undefined> => ask(socket, sql);
  await until(async () => (await value('SELECT 1')) === '1');
  const owned = undo.move();
  return { root, data, socket, start, stop, value, query, [Symbol.asyncDispose]: () => owned.disposeAsync() };

  async function query(...statements: readonly string[]): Promise<void> {
    await using sql = await Sql.connect({ socket, user: 'root' }, { signal });
    for (const statement of statements) await sql.query(statement);
  }
}

async function ask(socket: string, text: string): Promise<string | undefined> {
  try {
    await using sql = await Sql.connect({ socket, user: 'root' }, { signal, timeoutMs: 15_000 });
    return await sql.value(text).catch(() => '');
  } catch {
    return undefined;
  }
}

interface Scripted extends Pick<ControlledServer, 'root' | 'data' | 'socket'> {
  readonly bin: string;
  readonly more: readonly string[];
}

function scriptsOf({ bin, root, data, socket, more }: Scripted): Record<'start' | 'stop', string> {
  const server = [
    join(bin, 'mariadbd'),
    '--no-defaults',
    ...serverUser().arguments,
    `--datadir=${data}`,
    `--socket=${socket}`,
    `--pid-file=${join(root, 'pid')}`,
    '--skip-networking',
    '--innodb-buffer-pool-size=32M',
    ...more,
  ];
  const held = (name: string): string => `while [ -e ${join(root, `hold-${name}`)} ]; do sleep 0.05; done\n`;
  return {
    start: `#!/bin/sh\nif [ -e ${join(root, 'no-start')} ]; then rm ${join(root, 'no-start')}; exit 0; fi\nif [ -e ${join(root, 'fail-start')} ]; then rm ${join(root, 'fail-start')}; exit 1; fi\nsetsid ${server.join(' ')} >>${join(root, 'log')} 2>&1 </dev/null &\nsleep 0.5\n${held('start')}`,
    stop: `#!/bin/sh\nsleep 0.3\npid=$(cat ${join(root, 'pid')}) || exit 0\nkill $pid\nwhile kill -0 $pid 2>/dev/null; do sleep 0.05; done\n${held('stop')}`,
  };
}
