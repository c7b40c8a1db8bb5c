import type { SqlRow } from './scratch-server.ts';

export interface DrillCheckOptions {
  readonly query: (sql: string) => Promise<readonly SqlRow[]>;
  readonly signal: AbortSignal;
  /** `quick` reads the structure of each table, `extended` every row and index entry. Default `quick`. */
  readonly depth?: 'quick' | 'extended';
  /** Also `CHECKSUM TABLE` of every table that is no part of the server itself: reads every row. Default false. */
  readonly withChecksums?: boolean;
  /** Called after each table. */
  readonly onProgress?: (progress: { readonly done: number; readonly of: number }) => void;
}

export interface DrillResult {
  readonly version: string;
  /** Tables that were checked. */
  readonly tables: number;
  readonly views: number;
  /** Tables whose engine has no check, or is not loaded here, e.g. `app.remote (FEDERATED)`. */
  readonly unchecked: readonly string[];
  /** `schema.table` ↦ checksum, of the tables of users. */
  readonly checksums: Readonly<Record<string, string>>;
  /** Empty when every table is good. */
  readonly errors: readonly TableError[];
}

export interface TableError {
  readonly table: string;
  readonly message: string;
}

interface Table {
  readonly schema: string;
  readonly name: string;
  readonly type: string;
  readonly engine: string | null;
  readonly comment: string;
}

/** Engines whose files are in a backup. Others are left alone: some would call another server. */
const checkedEngines = new Set(['InnoDB', 'Aria', 'MyISAM', 'MRG_MyISAM', 'CSV', 'ARCHIVE']);
const serverSchemas = new Set(['mysql', 'sys', 'information_schema', 'performance_schema']);

/** Asks a server on restored data whether every table is there and good. A table that is not is an answer, not an error. */
export async function checkDrill(options: DrillCheckOptions): Promise<DrillResult> {
  const { query, signal, onProgress } = options;
  const [version] = await query('SELECT VERSION() AS version');
  const all = await listTables(query);
  const tables = all.filter(({ type }) => !type.endsWith('VIEW'));
  const errors: TableError[] = [];
  const unchecked: string[] = [];
  const checksums: Record<string, string> = {};
  for (const [index, table] of tables.entries()) {
    signal.throwIfAborted();
    if (table.engine !== null && !checkedEngines.has(table.engine))
      unchecked.push(`${nameOf(table)} (${table.engine})`);
    else errors.push(...(await checkTable(table, options)));
    if (options.withChecksums === true && hasChecksum(table)) {
      const checksum = await checksumOf(table, query);
      if (checksum !== undefined) checksums[nameOf(table)] = checksum;
    }
    onProgress?.({ done: index + 1, of: tables.length });
  }
  return {
    version: version?.['version'] ?? '',
    tables: tables.length - unchecked.length,
    views: all.length - tables.length,
    unchecked,
    checksums,
    errors,
  };
}

async function listTables(query: DrillCheckOptions['query']): Promise<Table[]> {
  const rows = await query(
    'SELECT TABLE_SCHEMA AS s, TABLE_NAME AS n, TABLE_TYPE AS t, ENGINE AS e, TABLE_COMMENT AS c FROM information_schema.TABLES ' +
      "WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema') AND TABLE_TYPE <> 'TEMPORARY' ORDER BY 1, 2",
  );
  return rows.map((row) => ({
    schema: row['s'] ?? '',
    name: row['n'] ?? '',
    type: row['t'] ?? '',
    engine: row['e'] ?? null,
    comment: row['c'] ?? '',
  }));
}

async function checkTable(table: Table, { query, depth }: DrillCheckOptions): Promise<TableError[]> {
  // A table that cannot be opened is listed without an engine, with the reason as its comment.
  if (table.engine === null) return [{ table: nameOf(table), message: table.comment }];
  const rows = await query(`CHECK TABLE ${quoted(table)} ${depth === 'extended' ? 'EXTENDED' : 'QUICK'}`);
  return rows
    .filter((row) => row['Msg_type']?.toLowerCase() === 'error')
    .map((row) => ({ table: nameOf(table), message: row['Msg_text'] ?? '' }));
}

function hasChecksum({ schema, type, engine }: Table): boolean {
  return !serverSchemas.has(schema) && type !== 'SEQUENCE' && engine !== null && checkedEngines.has(engine);
}

async function checksumOf(table: Table, query: DrillCheckOptions['query']): Promise<string | undefined> {
  const [row] = await query(`CHECKSUM TABLE ${quoted(table)}`);
  return row?.['Checksum'] ?? undefined;
}

function nameOf({ schema, name }: Table): string {
  return `${schema}.${name}`;
}

function quoted({ schema, name }: Table): string {
  return [schema, name].map((part) => `\`${part.replaceAll('`', '``')}\``).join('.');
}
