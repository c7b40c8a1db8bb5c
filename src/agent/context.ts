import type { Lineages } from '../core/lineage.ts';
import type { TakeBackupRequest } from '../core/take-backup.ts';
import type { ServerConnection, ServerFacts } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import { InvalidRequest } from '../lib/failure.ts';
import type { AgentConfig } from './config.ts';
import type { Abortable, Host } from './host.ts';
import type { LastSeen } from './last-seen.ts';
import { readSecretLine } from '../lib/secret-file.ts';

/** What every job and answer of one agent shares. */
export interface AgentContext {
  readonly config: AgentConfig;
  readonly host: Host;
  readonly clock: Clock;
  readonly lineages: Lineages;
  /** What asking the server keeps for the time when it does not answer. */
  readonly lastSeen: LastSeen;
  /** Name and version of this program. */
  readonly program: string;
  /** How backups are cut and how much of them is under way at once; undefined: as is best. */
  readonly tuning?: TakeBackupRequest['tuning'];
}

/** How to reach the server; its password is read anew each time. @throws InvalidRequest `no-database` */
export async function databaseConnection({ config }: AgentContext): Promise<ServerConnection> {
  if (config.database === null)
    throw new InvalidRequest(
      'no-database',
      'Cannot do this as the agent has no database server: its file says database: null',
    );
  const { socket, host, port, user, defaultsFile, passwordFile } = config.database;
  return {
    ...(socket === undefined ? {} : { socket }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(defaultsFile === undefined ? {} : { defaultsFile }),
    ...(passwordFile === undefined ? {} : { password: await readSecretLine(passwordFile) }),
  };
}

/** The server's facts, or undefined where there is no server or it does not answer. */
export async function factsIfUp(context: AgentContext, options: Abortable): Promise<ServerFacts | undefined> {
  if (context.config.database === null) return undefined;
  try {
    return await context.host.readServerFacts(await databaseConnection(context), options);
  } catch {
    options.signal.throwIfAborted();
    return undefined;
  }
}
