import type { Finding } from './engine.ts';
import { type NeededPrivilege, privilegeFinding, readGrants } from './grants.ts';
import { dataDirectoryFinding, linkedAriaFindings, type PreflightInput, storageEngineFinding } from './preflight.ts';
import { Sql } from './sql.ts';
import { toolFits } from './tool-fits.ts';
import { compareVersions } from './versions.ts';

const covered = ['InnoDB', 'Aria', 'MyISAM', 'MRG_MyISAM', 'CSV', 'ARCHIVE', 'ROCKSDB', 'SEQUENCE', 'BLACKHOLE'];

/** What stands in the way of a backup with this version of mariadb-backup. */
export async function preflightMariadb(
  version: string,
  { server, facts, signal }: PreflightInput,
): Promise<readonly Finding[]> {
  await using sql = await Sql.connect(server, { signal });
  return [
    toolFits({ name: 'mariadb-backup', version }, facts),
    privilegeFinding(await readGrants(sql), neededPrivileges(facts.version, facts.variables['log_bin'] === 'ON')),
    await dataDirectoryFinding(facts.dataDirectory),
    await storageEngineFinding(sql, covered),
    ...(await linkedAriaFindings(facts.dataDirectory)),
  ];
}

/** The tool itself looks for the first two up front; it misses the third only after it streamed everything. */
function neededPrivileges(serverVersion: string, logBin: boolean): readonly NeededPrivilege[] {
  const monitor: NeededPrivilege =
    compareVersions(serverVersion, '10.5.2') < 0
      ? { privilege: 'REPLICATION CLIENT', or: ['SUPER'] }
      : {
          privilege: 'BINLOG MONITOR',
          or: ['REPLICATION CLIENT', ...(compareVersions(serverVersion, '11.0.1') < 0 ? ['SUPER'] : [])],
        };
  return [{ privilege: 'RELOAD' }, { privilege: 'PROCESS' }, ...(logBin ? [monitor] : [])];
}
