import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { completeConfig, defaultStateDirectory } from '../agent/config.ts';
import { joinManager } from '../agent/join.ts';
import { startAgent } from '../agent/main.ts';
import { parseListenAddress } from './parse-options.ts';
import { completeManagerConfig } from '../manager/config.ts';
import { startManager } from '../manager/main.ts';
import { announce } from './announce.ts';
import type { Invocation } from './context.ts';
import { controlOf } from './control-options.ts';
import { findSocket, type ServerOptions, serverOptionsSchema } from './local/server.ts';
import { programVersion } from './version.ts';

const optionsSchema = z.object({
  listen: z.string(),
  service: z.string().optional(),
  stateDir: z.string().optional(),
  restoreTo: z.array(z.string()).optional(),
  unit: z.string().optional(),
  stopCommand: z.string().optional(),
  startCommand: z.string().optional(),
  serverProgram: z.string().optional(),
  logLevel: z.string(),
});
type Options = z.infer<typeof optionsSchema>;

const joinSeconds = 300;

/** Manager and agent for the server of this host, until a signal asks for their end. */
export async function upCommand({ context, options: raw }: Invocation): Promise<void> {
  const { output, signal, interruption, clock } = context;
  const options = optionsSchema.parse(raw);
  const { logLevel } = options;
  interruption.expect();
  const state = resolve(options.stateDir ?? defaultStateDirectory());
  await prepare(state);
  const name = options.service ?? nameOfHost();
  const run = { version: programVersion(), logLevel };
  const listen = parseListenAddress(options.listen);
  const managerConfig = completeManagerConfig({ listen, stateDirectory: join(state, 'manager') }, 'the command line');
  await using manager = await startManager(managerConfig, run);
  const config = completeConfig(await agentFile({ ...options, state }, raw), 'the command line');
  // Whoever can start this may have its agent join, also after the state of one of them was lost.
  const { token } = await manager.makeJoinToken({ validSeconds: joinSeconds, replaces: name });
  await joinManager({ token, name }, { config, version: run.version, clock, signal });
  await using _agent = await startAgent(config, run);
  await announce(output, manager, { service: name });
  if (!signal.aborted) await once(signal, 'abort');
}

/** As root others may pass through it, not look into it: a drill's server, which is another user, runs below. */
async function prepare(state: string): Promise<void> {
  const mode = process.geteuid?.() === 0 ? 0o711 : 0o700;
  if ((await mkdir(state, { recursive: true, mode })) !== undefined) await chmod(state, mode);
}

/** What an agent's own file would say. */
async function agentFile(options: Options & { readonly state: string }, raw: unknown): Promise<unknown> {
  const { state, restoreTo, serverProgram } = options;
  const control = controlOf(options);
  const restores = join(state, 'restores');
  if (restoreTo === undefined) await mkdir(restores, { recursive: true, mode: 0o711 });
  const directories = restoreTo?.map((path) => resolve(path)) ?? [restores];
  return {
    // Nobody but this process needs it.
    listen: { port: 0 },
    stateDirectory: join(state, 'agent'),
    database: await databaseOf(serverOptionsSchema.parse(raw)),
    // Its manager is this very process.
    managedLocations: ['*'],
    restore: { directories, mayRestoreInPlace: control !== undefined, ...(control === undefined ? {} : { control }) },
    drill: serverProgram === undefined ? {} : { serverProgram: resolve(serverProgram) },
  };
}

/** Paths are absolute in an agent's file, and a socket that is there is found where nothing is said. */
async function databaseOf(server: ServerOptions): Promise<ServerOptions> {
  const { socket, host, passwordFile, defaultsFile } = server;
  const isNamed = [socket, host, defaultsFile].some((given) => given !== undefined);
  const found = isNamed ? socket : await findSocket();
  return {
    ...server,
    ...absolute('socket', found),
    ...absolute('passwordFile', passwordFile),
    ...absolute('defaultsFile', defaultsFile),
  };
}

function absolute(name: keyof ServerOptions, path: string | undefined): ServerOptions {
  return path === undefined ? {} : { [name]: resolve(path) };
}

/** As far as a name may have its letters. */
function nameOfHost(): string {
  const name = hostname().replaceAll(/[^A-Za-z0-9._:-]/g, '-');
  return /^[A-Za-z0-9]/.test(name) ? name.slice(0, 100) : 'this-host';
}
