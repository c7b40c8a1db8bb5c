import type { Finding, ServerFacts } from './engine.ts';
import { type NeededPrivilege, privilegeFinding, readGrants } from './grants.ts';
import { dataDirectoryFinding, type PreflightInput, storageEngineFinding } from './preflight.ts';
import { Sql } from './sql.ts';
import { toolFits } from './tool-fits.ts';
import { compareVersions } from './versions.ts';

const covered = ['InnoDB', 'MyISAM', 'MRG_MYISAM', 'CSV', 'ARCHIVE', 'ROCKSDB', 'BLACKHOLE'];

/** The minimum that XtraBackup's documentation names for 8.0 and 8.4. */
const needed: readonly NeededPrivilege[] = [
  { privilege: 'BACKUP_ADMIN' },
  { privilege: 'PROCESS' },
  { privilege: 'RELOAD' },
  { privilege: 'LOCK TABLES' },
  { privilege: 'REPLICATION CLIENT' },
  { privilege: 'SELECT', on: 'performance_schema.log_status' },
  { privilege: 'SELECT', on: 'performance_schema.keyring_component_status' },
  { privilege: 'SELECT', on: 'performance_schema.replication_group_members' },
];

/** What stands in the way of a backup with this version of XtraBackup. */
export async function preflightMysql(
  version: string,
  { server, facts, signal }: PreflightInput,
): Promise<readonly Finding[]> {
  await using sql = await Sql.connect(server, { signal });
  return [
    toolFits({ name: 'xtrabackup', version }, facts),
    privilegeFinding(await readGrants(sql), needed),
    await dataDirectoryFinding(facts.dataDirectory),
    await storageEngineFinding(sql, covered),
    ...(await redoFindings(sql)),
    ...(await instantColumnFindings(sql, facts)),
  ];
}

async function redoFindings(sql: Sql): Promise<readonly Finding[]> {
  const [row] = await sql.query("SHOW GLOBAL STATUS LIKE 'Innodb_redo_log_enabled'");
  if (row?.['Value'] !== 'OFF') return [];
  return [
    {
      level: 'error',
      code: 'redo-disabled',
      message: 'Redo logging is switched off on the server, so no consistent backup can be taken.',
      nextStep: 'Run ALTER INSTANCE ENABLE INNODB REDO_LOG;',
    },
  ];
}

/** MySQL 8.0.29 to 8.0.31 stores instantly added and dropped columns in a form that breaks backups. */
async function instantColumnFindings(sql: Sql, facts: ServerFacts): Promise<readonly Finding[]> {
  const isAffected =
    facts.vendor === 'MySQL' &&
    compareVersions(facts.version, '8.0.29') >= 0 &&
    compareVersions(facts.version, '8.0.31') <= 0;
  if (!isAffected) return [];
  const rows = await sql.query(
    'SELECT name AS name FROM information_schema.innodb_tables WHERE total_row_versions > 0 LIMIT 20',
  );
  if (rows.length === 0) return [];
  return [
    {
      level: 'error',
      code: 'instant-columns',
      message: `Tables have instantly added or dropped columns, which ${facts.version} stores in a form that breaks backups: ${rows.map((row) => row['name']).join(', ')}.`,
      nextStep: 'Run OPTIMIZE TABLE on them, or upgrade the server to 8.0.32 or later.',
    },
  ];
}
