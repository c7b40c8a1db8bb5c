import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import type { RestartableServer } from './restartable-server.ts';

export interface RoleOptions {
  /** How the program is called: `./holdfast`, or Node with `src/cli.ts`. */
  readonly command: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
}

/** The program as it stands in the tree, without a build. */
export const fromSource: RoleOptions['command'] = [
  process.execPath,
  new URL('../../src/cli.ts', import.meta.url).pathname,
];

const readySchema = z.object({ type: z.literal('ready'), url: z.string(), passwordFile: z.string().optional() });
export type UpReady = z.output<typeof readySchema>;

export interface UpOptions extends RoleOptions {
  readonly server: RestartableServer;
  /** Folder of the server's programs. */
  readonly bin: string;
  readonly state: string;
  readonly service: string;
}

/** `holdfast up` for a server that it may stop and start; ended when the stack is disposed of. */
export async function startUp(stack: AsyncDisposableStack, options: UpOptions): Promise<UpReady> {
  const { server, bin, state, service } = options;
  const flags = {
    listen: '127.0.0.1:0',
    service,
    'state-dir': state,
    socket: server.socket,
    user: 'root',
    'server-program': join(bin, 'mariadbd'),
    'stop-command': server.stopCommand,
    'start-command': server.startCommand,
  };
  const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  return readySchema.parse(await startRole(stack, ['up', '--json', ...words], options));
}

/** Starts a role of the program. @returns the first document that it prints, which says that it is ready */
export async function startRole(
  stack: AsyncDisposableStack,
  args: readonly string[],
  { command: [program, ...before], env }: RoleOptions,
): Promise<unknown> {
  const child = spawn(program, [...before, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  stack.defer(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const gone = ended.then(([code]) => Promise.reject(new Error(`holdfast ${args[0]} ended with exit code ${code}`)));
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), gone]);
  gone.catch(() => undefined);
  return JSON.parse(String(line));
}
