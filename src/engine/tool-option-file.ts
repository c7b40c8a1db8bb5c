import type { ServerConnection } from './engine.ts';
import { optionLine } from './option-file.ts';
import { defaultSocket } from './sql.ts';

/** The option file that tells a tool how to reach its server: the only way a password travels. */
export function toolOptionFile(group: string, server: ServerConnection): string {
  const lines = [`[${group}]`];
  if (server.user !== undefined) lines.push(optionLine('user', server.user));
  if (server.password !== undefined) lines.push(optionLine('password', server.password));
  if (server.socket === undefined && (server.host !== undefined || server.port !== undefined)) {
    lines.push(optionLine('host', tcpHost(server.host)));
    if (server.port !== undefined) lines.push(`port=${server.port}`);
  } else {
    lines.push(optionLine('socket', server.socket ?? defaultSocket));
  }
  return `${lines.join('\n')}\n`;
}

/** The tools take `localhost` for a socket. */
function tcpHost(host: string | undefined): string {
  return host === undefined || host === 'localhost' ? '127.0.0.1' : host;
}
