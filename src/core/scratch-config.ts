import type { Vendor } from '../engine/engine.ts';
import { InvalidRequest } from '../lib/failure.ts';

export interface ScratchConfigOptions {
  readonly vendor: Vendor;
  readonly dataDirectory: string;
  /** Private to this server: socket, process id, error log. */
  readonly privateDirectory: string;
  /** For sorts and temporary tables. */
  readonly temporaryDirectory: string;
  readonly serverId: number;
  readonly bufferPoolBytes: number;
  /** The user to become, where the server is started as root: a name or a number. */
  readonly user: string | undefined;
  /** Global variables of the server that was backed up, as recorded with the backup. */
  readonly variables: Readonly<Record<string, string>>;
  /** Text of the `backup-my.cnf` that the tool left in the data directory. */
  readonly backupOptions: string;
  /** From the host's own configuration: key files and plugins for data encrypted by the server. What cuts it off wins. */
  readonly hostOptions?: Readonly<Record<string, string>>;
}

/** The files of a scratch server in its private directory. */
export const scratchFiles = {
  config: 'my.cnf',
  socket: 's.sock',
  pid: 'pid',
  log: 'error.log',
  files: 'files',
} as const;

/**
 * Settings without which these files cannot be opened. The first two are the same in every release; the rest went away in
 * some, which then need no telling.
 */
const fromBackupOptions = [
  'innodb_page_size',
  'innodb_data_file_path',
  'loose_innodb_undo_tablespaces',
  'loose_innodb_checksum_algorithm',
];
const fromVariables = ['lower_case_table_names'];

/** What keeps a drill's server from reaching anything or anyone, and from doing anything by itself. */
const cutOff: Readonly<Record<string, string>> = {
  skip_networking: 'ON',
  skip_grant_tables: 'ON',
  skip_log_bin: 'ON',
  skip_name_resolve: 'ON',
  event_scheduler: 'DISABLED',
  local_infile: 'OFF',
  general_log: 'OFF',
  slow_query_log: 'OFF',
  loose_skip_slave_start: 'ON',
  loose_skip_replica_start: 'ON',
  loose_relay_log_recovery: 'OFF',
  loose_wsrep_on: 'OFF',
  loose_wsrep_provider: 'none',
  loose_mysqlx: 'OFF',
  loose_feedback: 'OFF',
};

/** What keeps it small, and quick to stop: nobody needs its data afterwards. */
const small: Readonly<Record<string, string>> = {
  performance_schema: 'OFF',
  max_connections: '20',
  innodb_fast_shutdown: '2',
  loose_innodb_buffer_pool_load_at_startup: 'OFF',
  loose_innodb_buffer_pool_dump_at_shutdown: 'OFF',
  loose_innodb_redo_log_capacity: '33554432',
};

/**
 * The option file of a drill's server. It is the only one that the server reads, so nothing of the host's configuration
 * counts: no replication, no plugin, no file to run at the start.
 * @throws InvalidRequest `scratch-option-invalid`: a value that would end its line and begin another.
 */
export function scratchConfig(options: ScratchConfigOptions): string {
  const inPrivate = (name: string): string => `${options.privateDirectory}/${name}`;
  const settings: Record<string, string> = {
    ...options.hostOptions,
    ...pick(parseBackupOptions(options.backupOptions), fromBackupOptions),
    ...pick(options.variables, fromVariables),
    ...small,
    ...(options.vendor === 'MariaDB' ? { innodb_log_file_size: '16777216' } : { persisted_globals_load: 'OFF' }),
    ...(options.user === undefined ? {} : { user: options.user }),
    datadir: options.dataDirectory,
    tmpdir: options.temporaryDirectory,
    socket: inPrivate(scratchFiles.socket),
    pid_file: inPrivate(scratchFiles.pid),
    log_error: inPrivate(scratchFiles.log),
    relay_log: inPrivate('relay'),
    secure_file_priv: inPrivate(scratchFiles.files),
    innodb_buffer_pool_size: String(options.bufferPoolBytes),
    server_id: String(options.serverId),
    ...cutOff,
  };
  return `[mysqld]\n${Object.entries(settings).map(toLine).join('')}`;
}

/** Settings of a `backup-my.cnf`, names with underscores. */
export function parseBackupOptions(text: string): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^\s*([a-z][a-z0-9_-]*)\s*=\s*(.*?)\s*$/i.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) settings[match[1].replaceAll('-', '_')] = match[2];
  }
  return settings;
}

function pick(from: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  const values = names.map((name) => ({ name, value: from[name.replace(/^loose_/, '')] }));
  return Object.fromEntries(values.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])));
}

function toLine([name, value]: [string, string]): string {
  if (!/^[a-z][a-z0-9_-]*$/i.test(name) || /[\n\r\0"\\]/.test(value)) {
    throw new InvalidRequest(
      'scratch-option-invalid',
      `Cannot start a server for a drill as an option cannot be written down: ${name}`,
    );
  }
  return `${name}="${value}"\n`;
}
