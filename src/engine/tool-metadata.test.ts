import { describe, expect, it } from 'vitest';
import { CorruptData } from '../lib/failure.ts';
import { BackupContents } from './backup-contents.ts';
import type { FilePiece } from './engine.ts';
import { type MetadataFiles, parseBinlogInfo, readBackupFacts } from './tool-metadata.ts';

// As mariadb-backup 10.11.19 and 11.8.9 wrote them, and xtrabackup 8.0.35 and 8.4 do by their documentation.
const mariadb: MetadataFiles = {
  checkpoints:
    'backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 44404\nlast_lsn = 42323472\nrecover_binlog_info = 0\n',
  info: "uuid = b0a2b450-e54f-11f1-a9ba-02fc00000001\nname = \ntool_name = mariadb-backup\ntool_command = --defaults-file=/x --backup\ntool_version = 10.11.19-MariaDB\nserver_version = 10.11.19-MariaDB-0+deb12u1-log\nbinlog_pos = filename 'bin.000001', position '39227016'\npartial = N\nincremental = N\nformat = mbstream\n",
  binlogInfo: 'bin.000001\t39227016\t0-23306-9\n',
};
const mysql: MetadataFiles = {
  checkpoints:
    'backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 20351037\nlast_lsn = 18446744073709551615\nflushed_lsn = 20351037\nredo_memory = 0\nredo_frames = 0\n',
  info: 'uuid = 1\nname = \ntool_name = xtrabackup\ntool_command = a = b\ntool_version = 8.4.0-4\nibbackup_version = 8.4.0-4\nserver_version = 8.4.6-6\nserver_flavor = Percona Server\npartial = N\nincremental = N\nformat = xbstream\ncompressed = N\nencrypted = N\nlock_ddl_type = ON\n',
  binlogInfo: 'binlog.000018\t157\t24e-1:1-5,\n24e-2:1-9\n',
};

describe("a tool's own files", () => {
  it('of mariadb-backup', () => {
    expect(readBackupFacts(mariadb)).toEqual({
      toolVersion: '10.11.19-MariaDB',
      serverVersion: '10.11.19-MariaDB-0+deb12u1-log',
      fromLsn: '0',
      toLsn: '44404',
      lastLsn: '42323472',
      binlog: { file: 'bin.000001', position: '39227016', gtid: '0-23306-9' },
    });
  });

  it('of xtrabackup, with an LSN beyond 2^53 and a GTID set over two lines', () => {
    expect(readBackupFacts(mysql)).toMatchObject({
      toolVersion: '8.4.0-4',
      lastLsn: '18446744073709551615',
      binlog: { gtid: '24e-1:1-5,24e-2:1-9' },
    });
  });

  it('without binary log', () => {
    expect(readBackupFacts({ ...mariadb, binlogInfo: undefined }).binlog).toBeUndefined();
    expect(parseBinlogInfo('binlog.000018\t157\n')).toEqual({ file: 'binlog.000018', position: '157', gtid: '' });
  });

  it.each([
    ['an empty file', { ...mariadb, checkpoints: '' }],
    ['an incremental', { ...mariadb, checkpoints: mariadb.checkpoints.replace('full-backuped', 'incremental') }],
    ['a partial backup', { ...mariadb, info: mariadb.info.replace('partial = N', 'partial = Y') }],
    ['an LSN that is no number', { ...mariadb, checkpoints: mariadb.checkpoints.replace('44404', '44x') }],
    ['no version', { ...mariadb, info: mariadb.info.replace('tool_version', 'other') }],
    ['no position', { ...mariadb, binlogInfo: 'bin.000001\n' }],
  ])('%s is refused', (_, files) => {
    expect(() => readBackupFacts(files)).toThrow(CorruptData);
  });
});

describe('the contents of a backup', () => {
  const rules = {
    mandatory: [['info', 'other_info'], ['ibdata1']],
    checkpoints: ['cp'],
    info: ['info', 'other_info'],
    binlogInfo: ['bi'],
  };

  it('are good when all mandatory files were complete', () => {
    const contents = new BackupContents(rules);
    contents.take([...file('cp', mariadb.checkpoints), ...file('other_info', mariadb.info), ...file('ibdata1', 'x')]);
    expect(contents.facts().binlog).toBeUndefined();
  });

  it('name what is missing, also when it had no end', () => {
    const contents = new BackupContents(rules);
    contents.take([...file('cp', mariadb.checkpoints), ...file('ibdata1', 'x').slice(0, 1)]);
    expect(() => contents.facts()).toThrow('info or other_info, ibdata1');
  });

  it('keep no more than 768 KiB of a file of the tool: it must fit into a seal', () => {
    const contents = new BackupContents(rules);
    const take = (): void => contents.take([{ type: 'data', path: 'bi', offset: 768 << 10, bytes: new Uint8Array(1) }]);
    expect(take).toThrow(CorruptData);
    expect(take).toThrow(expect.objectContaining({ nextStep: expect.stringContaining('GTID') }));
  });
});

function file(path: string, text: string): FilePiece[] {
  const bytes = Buffer.from(text);
  return [
    { type: 'data', path, offset: 0, bytes },
    { type: 'end', path, size: bytes.length },
  ];
}
