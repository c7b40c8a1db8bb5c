import type { Engine } from './engine.ts';
import { mariadbLockRules, mariadbUnstagedLockRules } from './lock-state.ts';
import { preflightMariadb } from './preflight-mariadb.ts';
import { type BackupTool, runToolBackup, type ToolCommand } from './tool-backup.ts';
import { prepareWithTool } from './tool-prepare.ts';
import { compareVersions } from './versions.ts';

/** Up to 11.7 the tool's files are named after XtraBackup, since then after itself. */
const checkpoints = ['xtrabackup_checkpoints', 'mariadb_backup_checkpoints'];
const info = ['xtrabackup_info', 'mariadb_backup_info'];
const binlogInfo = ['xtrabackup_binlog_info', 'mariadb_backup_binlog_info'];

/** `mariadb-backup` of one version, for servers of the same series. */
export function mariadbBackup(program: ToolCommand & { readonly version: string }): Engine {
  const { version } = program;
  const tool: BackupTool = {
    command: program.command,
    env: program.env,
    name: 'mariadb-backup',
    version,
    optionGroup: 'mariadb-backup',
    lockRules: printsStages(version) ? mariadbLockRules : mariadbUnstagedLockRules,
    backupArguments: (scratch, parallel) => [
      '--backup',
      '--stream=xbstream',
      `--target-dir=${scratch}`,
      `--parallel=${parallel}`,
    ],
    contentRules: (server) => ({
      checkpoints,
      info,
      binlogInfo,
      mandatory: [
        info,
        checkpoints,
        ['backup-my.cnf'],
        [server.systemTablespace],
        ['ib_logfile0'],
        ...(server.logBin ? [binlogInfo] : []),
      ],
    }),
  };
  return {
    name: 'mariadb-backup',
    version,
    preflight: (server, facts, options) => preflightMariadb(version, { server, facts, signal: options.signal }),
    backup: (server, options) => runToolBackup(tool, server, options),
    prepare: (directory, options) => prepareWithTool(tool, directory, options),
  };
}

/** The first release of each series whose tool uses all the stages and names them. */
const stagedSince = ['10.11.8', '11.0.6', '11.1.5', '11.2.4', '11.4.2'];

function printsStages(version: string): boolean {
  const series = version.split('.').slice(0, 2).join('.');
  const since = stagedSince.find((each) => each.startsWith(`${series}.`)) ?? '11.4.2';
  return compareVersions(version, since) >= 0;
}
