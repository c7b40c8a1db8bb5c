import { userInfo } from 'node:os';
import { createConnection, type Connection, type ConnectionOptions } from 'mysql2/promise';
import { Failure, PermanentFailure } from '../lib/failure.ts';
import type { ServerConnection } from './engine.ts';
import { resolveConnection } from './option-file.ts';

/** Every column as text, `null` for NULL: numbers of a server pass 2^53. */
export type Row = Readonly<Record<string, string | null>>;

export interface SqlOptions {
  readonly signal: AbortSignal;
  /** For each query, and for the connection where it is less than for any. Default 10,000. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;
/** A server that works greets at once, however long its queries may take. */
const connectLimitMs = 10_000;

/** One connection to a database server. Its queries are the few that backups need; none of them is slow. */
export class Sql implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #where: string;
  readonly #timeoutMs: number;
  readonly #release: () => void;

  private constructor(connection: Connection, where: string, options: SqlOptions) {
    this.#connection = connection;
    this.#where = where;
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    // Without a listener, a server that goes away between two queries would end this process.
    connection.on('error', () => undefined);
    const onAbort = (): void => connection.destroy();
    options.signal.addEventListener('abort', onAbort, { once: true });
    this.#release = () => options.signal.removeEventListener('abort', onAbort);
  }

  /**
   * Connects by socket where one is named, by TCP where a host or port is, else by the servers' usual socket.
   * Throws PermanentFailure `database-access-denied`, Failure `database-unreachable`.
   */
  static async connect(server: ServerConnection, options: SqlOptions): Promise<Sql> {
    options.signal.throwIfAborted();
    const resolved = await resolveConnection(server);
    const where = describeConnection(resolved);
    try {
      const connection = await createConnection(connectionOptions(resolved, options.timeoutMs ?? defaultTimeoutMs));
      return new Sql(connection, where, options);
    } catch (cause) {
      throw connectFailure(cause, where, resolved.user ?? '');
    }
  }

  async query(sql: string): Promise<readonly Row[]> {
    try {
      const [rows] = await this.#connection.query({
        sql,
        timeout: this.#timeoutMs,
        typeCast: (field) => field.string(),
      });
      return Array.isArray(rows) ? rows.flatMap((row) => (isRow(row) ? [row] : [])) : [];
    } catch (cause) {
      throw queryFailure(cause, this.#where, sql);
    }
  }

  /** The first column of the first row; empty when there is none. */
  async value(sql: string): Promise<string> {
    const [row] = await this.query(sql);
    return (row && Object.values(row)[0]) ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#release();
    this.#connection.destroy();
    await Promise.resolve();
  }
}

/** Where a connection leads, for messages: never with the password. */
export function describeConnection(server: ServerConnection): string {
  if (server.socket !== undefined) return `socket ${server.socket}`;
  if (server.host === undefined && server.port === undefined) return `socket ${defaultSocket}`;
  return `${server.host ?? 'localhost'}:${server.port ?? 3306}`;
}

/** Where Debian's and Ubuntu's packages put it. */
export const defaultSocket = '/run/mysqld/mysqld.sock';

function connectionOptions(server: ServerConnection, timeoutMs: number): ConnectionOptions {
  const viaSocket =
    server.socket ?? (server.host === undefined && server.port === undefined ? defaultSocket : undefined);
  return {
    ...(viaSocket === undefined
      ? { host: server.host ?? '127.0.0.1', port: server.port ?? 3306 }
      : { socketPath: viaSocket }),
    user: server.user ?? userInfo().username,
    ...(server.password === undefined ? {} : { password: server.password }),
    connectTimeout: Math.min(timeoutMs, connectLimitMs),
    // The server takes the operating system's word for who we are; it wants no data.
    authPlugins: { unix_socket: noData, auth_socket: noData },
  };
}

function noData(): () => Buffer {
  return () => Buffer.alloc(0);
}

function isRow(row: unknown): row is Row {
  return typeof row === 'object' && row !== null && !Array.isArray(row);
}

const denied = new Set([
  'ER_ACCESS_DENIED_ERROR',
  'ER_ACCESS_DENIED_NO_PASSWORD_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_ACCOUNT_HAS_BEEN_LOCKED',
  'ER_HOST_NOT_PRIVILEGED',
  'ER_MUST_CHANGE_PASSWORD_LOGIN',
]);

function connectFailure(cause: unknown, where: string, user: string): Failure {
  const { code, message } = reasonOf(cause);
  if (denied.has(code)) {
    return new PermanentFailure(
      'database-access-denied',
      `Cannot log in to the database at ${where} as the server refused the user: ${message}`,
      {
        cause,
        nextStep: `Check the name and password of the database user ${user === '' ? '' : `'${user}' `}and that it may connect from this host.`,
      },
    );
  }
  if (code === 'AUTH_SWITCH_PLUGIN_ERROR') {
    return new PermanentFailure(
      'database-login-method',
      `Cannot log in to the database at ${where} as the user's login method is not supported: ${message}`,
      {
        cause,
        nextStep:
          'Give the backup user a password of the kind mysql_native_password or caching_sha2_password, or socket login.',
      },
    );
  }
  return new Failure(
    'database-unreachable',
    `Cannot reach the database at ${where} as it does not answer: ${message}`,
    {
      cause,
      nextStep: 'Check that the server runs and that the socket or the host and port are right.',
    },
  );
}

function queryFailure(cause: unknown, where: string, sql: string): Failure {
  const { code, message } = reasonOf(cause);
  if (
    code === 'ER_SPECIFIC_ACCESS_DENIED_ERROR' ||
    code === 'ER_TABLEACCESS_DENIED_ERROR' ||
    code === 'ER_DBACCESS_DENIED_ERROR'
  ) {
    return new PermanentFailure(
      'database-privilege-missing',
      `Cannot run a query at ${where} as the user may not: ${message}`,
      {
        cause,
        nextStep: 'Give the backup user the privilege that the message names.',
        evidence: [sql],
      },
    );
  }
  if (code.startsWith('ER_'))
    return new Failure('database-query-failed', `Cannot run a query at ${where} as the server refused it: ${message}`, {
      cause,
      nextStep: "Look into the server's error log, and check that it is healthy and of a supported version.",
      evidence: [sql],
    });
  return new Failure(
    'database-unreachable',
    `Cannot query the database at ${where} as the connection broke: ${message}`,
    { cause, nextStep: 'Check that the server still runs and answers, and try again.', evidence: [sql] },
  );
}

function reasonOf(cause: unknown): { readonly code: string; readonly message: string } {
  if (!(cause instanceof Error)) return { code: '', message: String(cause) };
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  return { code, message: cause.message === '' ? code : cause.message };
}
