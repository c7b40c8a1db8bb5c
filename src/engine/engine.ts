/**
 * How files are read off a server, and how a directory of such files is made ready for one. The contract comes first;
 * `mariadb-backup.ts` and `xtrabackup.ts` implement it, `tests/contract/engine.ts` holds them to it.
 */

export type EngineName = 'mariadb-backup' | 'xtrabackup';

/** How to reach a database server. The password never enters an argument list: engines pass it in a private file. */
export interface ServerConnection {
  readonly socket?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  /** An option file whose `[client]` section fills what is missing above. */
  readonly defaultsFile?: string;
}

export type Vendor = 'MariaDB' | 'MySQL' | 'Percona Server';

/** What a server says it is. */
export interface ServerFacts {
  readonly vendor: Vendor;
  /** As the server spells it, e.g. `10.11.19-MariaDB-deb12`. */
  readonly version: string;
  /** MySQL `server_uuid`; MariaDB `server_uid`, else server id and data directory. */
  readonly identity: string;
  readonly dataDirectory: string;
  /** GTID position (`gtid_current_pos` or `gtid_executed`), empty when there is none. */
  readonly gtid: string;
  /** Bytes of the files below the data directory that a backup copies, the estimate for progress; undefined when it cannot be read. */
  readonly dataBytes: number | undefined;
  readonly variables: Readonly<Record<string, string>>;
  /**
   * Of MySQL: files of tablespaces that it keeps outside the data directory, as it writes them, absolute or from there; undefined
   * where it does not tell. MariaDB has links in the data directory instead.
   */
  readonly tablespacesOutside?: readonly string[] | undefined;
}

export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  /** Stable, e.g. `missing-privilege`. */
  readonly code: string;
  /** A whole sentence. */
  readonly message: string;
  readonly nextStep?: string;
}

/** What a finished backup knows of itself, read from the tool's own files. */
export interface BackupFacts {
  readonly toolVersion: string;
  readonly serverVersion: string;
  /** Decimal LSNs as text: they pass 2^53. */
  readonly fromLsn: string;
  readonly toLsn: string;
  readonly lastLsn: string;
  readonly binlog: { readonly file: string; readonly position: string; readonly gtid: string } | undefined;
}

/** A piece of a file of the server, as the stream brings it. Pieces of different files interleave; those of one are in order. */
export type FilePiece =
  | { readonly type: 'data'; readonly path: string; readonly offset: number; readonly bytes: Uint8Array }
  /** The file's next `length` bytes are a hole: zeros that need no room. */
  | { readonly type: 'hole'; readonly path: string; readonly offset: number; readonly length: number }
  /** The file is complete and `size` bytes long. */
  | { readonly type: 'end'; readonly path: string; readonly size: number };

export interface BackupRun {
  /**
   * Batches of pieces. Ends only if the tool exited 0, said `completed OK!`, the stream was whole to the last file's end
   * chunk and every mandatory file was in it; throws otherwise. Leaving the loop early ends the tool. `bytes` of a piece
   * are valid until the next batch is asked for.
   */
  readonly pieces: AsyncIterable<readonly FilePiece[]>;
  /** Does the tool hold a lock on the server right now? */
  readonly isLocked: () => boolean;
  /** Only after `pieces` ended. */
  readonly facts: () => BackupFacts;
}

export interface BackupRunOptions {
  readonly signal: AbortSignal;
  /** Each line the tool prints and what the engine itself notices, secrets removed. */
  readonly onLog: (line: string) => void;
  /** Called at once when the engine ends the run, whether or not anybody asks for the next batch, which then throws the same. */
  readonly onFailure?: (error: unknown) => void;
  /** Threads that the tool copies with. */
  readonly parallel?: number;
  /** How long, while the tool holds a lock, nobody may ask for the next batch before the attempt is ended. Default 10,000. */
  readonly lockedStallMs?: number;
}

export interface PrepareOptions {
  readonly signal: AbortSignal;
  readonly onLog: (line: string) => void;
  /** Memory for applying the redo log, bytes. */
  readonly memoryBytes?: number;
}

/** One tool of one version, found on this host. */
export interface Engine {
  readonly name: EngineName;
  /** As the tool prints it, e.g. `10.11.19-MariaDB`. */
  readonly version: string;
  /** What stands in the way of a backup: privileges, tool version, readable data directory, engines that are not covered. */
  preflight(
    server: ServerConnection,
    facts: ServerFacts,
    options: { signal: AbortSignal },
  ): Promise<readonly Finding[]>;
  backup(server: ServerConnection, options: BackupRunOptions): BackupRun;
  /** Makes an extracted directory consistent, ready to be a data directory. */
  prepare(directory: string, options: PrepareOptions): Promise<void>;
}
