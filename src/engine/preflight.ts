import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding, ServerConnection, ServerFacts } from './engine.ts';
import type { Sql } from './sql.ts';

export interface PreflightInput {
  readonly server: ServerConnection;
  readonly facts: ServerFacts;
  readonly signal: AbortSignal;
}

/** May the operating system user read the server's files? */
export async function dataDirectoryFinding(directory: string): Promise<Finding> {
  try {
    const names = await readdir(directory);
    const samples = names.filter((name) => /^ibdata|\.ibd$/.test(name)).slice(0, 100);
    for (const name of samples) await tryToRead(join(directory, name));
    return { level: 'ok', code: 'data-directory', message: `The data directory ${directory} can be read.` };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return code === 'ENOENT' ? absent(directory) : unreadable(directory, code);
  }
}

/** Not by `access`, which leaves out of account what a capability allows. */
async function tryToRead(path: string): Promise<void> {
  await using _ = await open(path, 'r');
}

function absent(directory: string): Finding {
  return {
    level: 'error',
    code: 'data-directory-missing',
    message: `The data directory ${directory} is not on this host.`,
    nextStep:
      'Run Holdfast on the host of the database server, and in a container with its data directory at the same path.',
  };
}

function unreadable(directory: string, code: string): Finding {
  return {
    level: 'error',
    code: 'data-directory-unreadable',
    message: `The data directory ${directory} cannot be read: ${code}.`,
    nextStep: 'Run Holdfast as the user of the database server, or as a member of its group with readable files.',
  };
}

/** Tables of engines that the tool leaves out, as far as the database user can see them. */
export async function storageEngineFinding(sql: Sql, covered: readonly string[]): Promise<Finding> {
  const list = covered.map((name) => `'${name}'`).join(', ');
  const rows = await sql.query(
    `SELECT engine AS engine, COUNT(*) AS tables, MIN(CONCAT(table_schema, '.', table_name)) AS example FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND engine NOT IN (${list}) AND table_schema NOT IN ('information_schema', 'performance_schema') GROUP BY engine`,
  );
  if (rows.length === 0)
    return {
      level: 'ok',
      code: 'storage-engines',
      message: 'Every table that the database user can see is of a storage engine that the backup covers.',
    };
  const names = rows.map((row) => `${row['tables']} of ${row['engine']} (${row['example']})`).join(', ');
  return {
    level: 'warning',
    code: 'storage-engine-not-covered',
    message: `Some tables will not be in the backup, or empty, as the tool does not cover their storage engine: ${names}.`,
    nextStep: 'Change the tables to InnoDB, or back them up by other means.',
  };
}

/**
 * Aria tables whose files are elsewhere, behind symbolic links (`DATA DIRECTORY`): `mariadb-backup` does not follow these, leaves
 * out the table, and says that it completed.
 */
export async function linkedAriaFindings(dataDirectory: string): Promise<readonly Finding[]> {
  const tables = new Set<string>();
  const entries = await readdir(dataDirectory, { withFileTypes: true }).catch(() => []);
  for (const { name: database } of entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink())) {
    const files = await readdir(join(dataDirectory, database), { withFileTypes: true }).catch(() => []);
    const linked = files.filter((file) => file.isSymbolicLink() && /\.MA[DI]$/.test(file.name));
    for (const { name } of linked) tables.add(`${database}.${name.slice(0, -'.MAD'.length)}`);
  }
  if (tables.size === 0) return [];
  const names = [...tables].slice(0, 5).join(', ');
  const more = tables.size > 5 ? ` and ${tables.size - 5} more` : '';
  return [
    {
      level: 'warning',
      code: 'aria-behind-links',
      message: `Some Aria tables will not be in the backup, as the tool does not follow the symbolic links to their files: ${names}${more}.`,
      nextStep: 'Bring their files into the directory of the database, or change these tables to InnoDB.',
    },
  ];
}
