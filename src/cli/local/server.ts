import { stat } from 'node:fs/promises';
import * as z from 'zod';
import type { ServerConnection } from '../../engine/engine.ts';
import { InvalidRequest } from '../../lib/failure.ts';
import type { Context } from '../context.ts';
import { readPassphrase } from '../unlock.ts';

export const serverOptionsSchema = z.object({
  socket: z.string().exactOptional(),
  host: z.string().exactOptional(),
  port: z.number().exactOptional(),
  user: z.string().exactOptional(),
  passwordFile: z.string().exactOptional(),
  defaultsFile: z.string().exactOptional(),
});
export type ServerOptions = z.infer<typeof serverOptionsSchema>;

/** Where packages of the vendors and distributions put it. */
const usualSockets = [
  '/run/mysqld/mysqld.sock',
  '/var/run/mysqld/mysqld.sock',
  '/var/lib/mysql/mysql.sock',
  '/tmp/mysql.sock',
];

/** How to reach the database server; a socket that is there is found where nothing is said. */
export async function serverConnection(context: Context, options: ServerOptions): Promise<ServerConnection> {
  const { passwordFile, ...named } = serverOptionsSchema.parse(options);
  const { socket, host, port, defaultsFile } = named;
  if (socket !== undefined && (host !== undefined || port !== undefined))
    throw new InvalidRequest('two-servers', 'Cannot use both a socket and a host or port');
  const isNamed = [socket, host, port, defaultsFile].some((given) => given !== undefined);
  const found = isNamed ? undefined : await findSocket();
  const password =
    passwordFile === undefined
      ? context.environment.databasePassword
      : await readPassphrase(passwordFile, context.output);
  return {
    ...named,
    ...(found !== undefined && { socket: found }),
    ...(password !== undefined && { password }),
  };
}

/** The socket of a server that listens where packages put it. */
export async function findSocket(): Promise<string | undefined> {
  for (const path of usualSockets) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isSocket() === true) return path;
  }
  return undefined;
}
