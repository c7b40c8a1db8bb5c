import type { Engine } from './engine.ts';
import { xtrabackupLockRules } from './lock-state.ts';
import { preflightMysql } from './preflight-mysql.ts';
import { type BackupTool, runToolBackup, type ToolCommand } from './tool-backup.ts';
import { prepareWithTool } from './tool-prepare.ts';
import { compareVersions } from './versions.ts';

const checkpoints = ['xtrabackup_checkpoints'];
const info = ['xtrabackup_info'];
const binlogInfo = ['xtrabackup_binlog_info'];
/** Without these a backup cannot be prepared, or not be copied back. */
const always = ['xtrabackup_logfile', 'backup-my.cnf', 'xtrabackup_tablespaces', 'mysql.ibd', 'undo_001', 'undo_002'];

/** Percona XtraBackup 8.0, 8.4 or 9.x, for MySQL and Percona Server of the same series. */
export function xtrabackup(program: ToolCommand & { readonly version: string }): Engine {
  const { version } = program;
  const tool: BackupTool = {
    command: program.command,
    env: program.env,
    name: 'xtrabackup',
    version,
    optionGroup: 'xtrabackup',
    lockRules: xtrabackupLockRules,
    backupArguments: (scratch, parallel) => backupArguments(version, scratch, parallel),
    contentRules: (server) => ({
      checkpoints,
      info,
      binlogInfo,
      mandatory: [
        checkpoints,
        info,
        ...always.map((name) => [name]),
        [server.systemTablespace],
        ...(server.logBin ? [binlogInfo] : []),
      ],
    }),
  };
  return {
    name: 'xtrabackup',
    version,
    preflight: (server, facts, options) => preflightMysql(version, { server, facts, signal: options.signal }),
    backup: (server, options) => runToolBackup(tool, server, options),
    prepare: (directory, options) => prepareWithTool(tool, directory, options),
  };
}

/** Seconds to wait for running DDL, by default a year, and for long statements before a global read lock, by default not at all. */
const lockTimeouts = ['--lock-ddl-timeout=600', '--ftwrl-wait-timeout=60', '--ftwrl-wait-threshold=10'];

function backupArguments(version: string, scratch: string, parallel: number): readonly string[] {
  return [
    '--backup',
    '--stream=xbstream',
    `--target-dir=${scratch}`,
    `--parallel=${parallel}`,
    ...lockTimeouts,
    // Older tools ask a server on the internet whether there is a newer version.
    ...(compareVersions(version, '8.4.0') <= 0 ? ['--no-version-check'] : []),
  ];
}
