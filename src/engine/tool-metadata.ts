import { CorruptData } from '../lib/failure.ts';
import type { BackupFacts } from './engine.ts';

/** The text of the tools' own files, by role; what was not in the backup is undefined. */
export interface MetadataFiles {
  readonly checkpoints: string;
  readonly info: string;
  readonly binlogInfo: string | undefined;
}

/** Reads what the tool wrote about its backup. Throws CorruptData when something is missing or makes no sense. */
export function readBackupFacts(files: MetadataFiles): BackupFacts {
  const checkpoints = keyValues(files.checkpoints);
  const info = keyValues(files.info);
  const lsn = (key: string): string => decimal(checkpoints.get(key), `${key} in the checkpoints file`);
  expectFull(checkpoints, info);
  return {
    toolVersion: present(info.get('tool_version'), 'tool_version in the info file'),
    serverVersion: present(info.get('server_version'), 'server_version in the info file'),
    fromLsn: lsn('from_lsn'),
    toLsn: lsn('to_lsn'),
    lastLsn: lsn('last_lsn'),
    binlog: files.binlogInfo === undefined ? undefined : parseBinlogInfo(files.binlogInfo),
  };
}

function expectFull(checkpoints: ReadonlyMap<string, string>, info: ReadonlyMap<string, string>): void {
  const type = checkpoints.get('backup_type');
  if (type !== 'full-backuped') throw unreadable(`the backup is not a full one: backup_type is ${type ?? 'missing'}`);
  if (info.get('partial') === 'Y') throw unreadable('the backup is partial: an option of the tool leaves tables out');
}

/** `file<TAB>position[<TAB>GTID]`; a GTID set may go on over several lines. */
export function parseBinlogInfo(text: string): NonNullable<BackupFacts['binlog']> {
  const [file, position, ...gtid] = text.split('\t');
  if (!file || file.includes('\n')) throw unreadable('the binary log position has no file name');
  return {
    file,
    position: decimal(position?.trim(), 'the binary log position'),
    gtid: gtid.join('').replaceAll(/\s+/g, ''),
  };
}

/** Lines `key = value`; a value may hold anything but a line end. */
function keyValues(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) values.set(line.slice(0, equals).trim(), line.slice(equals + 1).trim());
  }
  return values;
}

function decimal(value: string | undefined, what: string): string {
  const text = present(value, what);
  if (!/^\d{1,20}$/.test(text)) throw unreadable(`${what} is not a number: ${JSON.stringify(text.slice(0, 80))}`);
  return text;
}

function present(value: string | undefined, what: string): string {
  if (value === undefined || value === '') throw unreadable(`${what} is missing`);
  return value;
}

function unreadable(what: string): CorruptData {
  return new CorruptData('tool-metadata', `Cannot take the backup as good as ${what}`, {
    nextStep: 'Check the log of the backup for what the tool said, and run it again.',
  });
}
