import { type Failure, PermanentFailure, ToolFailed } from '../lib/failure.ts';
import type { Ending } from '../lib/process.ts';
import { withoutSecrets } from './secrets.ts';

interface FailureLine {
  readonly line: RegExp;
  readonly code: string;
  /** What follows "as" in the message. */
  readonly why: string;
  readonly nextStep: string;
  /** Trying the same again cannot help. */
  readonly isPermanent?: boolean;
}

/** What the tools print when they fail, most telling first: one failure often drags others behind it. */
const failureLines: readonly FailureLine[] = [
  {
    line: /Access denied for user/i,
    code: 'database-access-denied',
    why: 'the server refused the database user',
    nextStep: 'Check the name and password of the database user and that it may connect from this host.',
    isPermanent: true,
  },
  {
    line: /missing required privilege|Access denied; you need|\b1227 \(42000\)/i,
    code: 'missing-privilege',
    why: 'the database user lacks a privilege',
    nextStep: 'Grant the privilege that the last lines name; the preflight check lists all that are missing.',
    isPermanent: true,
  },
  {
    line: /Can't change dir to|\(errno: 13\b|Errcode: 13\b|\(OS errno 13\b|Operating system error number 13\b/i,
    code: 'data-directory-unreadable',
    why: 'the operating system user may not read the data directory',
    nextStep: 'Run Holdfast as the user of the database server, or as a member of its group with readable files.',
    isPermanent: true,
  },
  {
    line: /Unsupported server version|does not support MariaDB|Unknown redo log format|Unknown system variable|Unsupported redo log format/i,
    code: 'tool-version',
    why: 'this version of the tool does not fit the server',
    nextStep:
      "Install the tool of the server's own series: mariadb-backup of the same major.minor, or the matching XtraBackup.",
    isPermanent: true,
  },
  {
    line: /INSTANT ADD\/DROP COLUMNS/i,
    code: 'instant-columns',
    why: 'tables have instantly added or dropped columns, which this server version stores in a form that breaks backups',
    nextStep: 'Run OPTIMIZE TABLE on the tables that the last lines list, or upgrade the server to 8.0.32 or later.',
    isPermanent: true,
  },
  {
    line: /failed to init keyring|missing encryption information|encrypt.*plugin.*(not|fail)/i,
    code: 'keyring-unavailable',
    why: 'the keys of encrypted tables could not be reached',
    nextStep: "Check that the server's keyring or encryption plug-in can be read by the user who runs Holdfast.",
    isPermanent: true,
  },
  {
    line: /unknown (option|variable)|ambiguous option/i,
    code: 'tool-options',
    why: 'the tool does not know an option',
    nextStep: 'Check that the tool is one of the supported versions.',
    isPermanent: true,
  },
  {
    line: /Server has gone away|Lost connection to|MySQL server has gone away|Connection was killed/i,
    code: 'server-lost',
    why: 'the server went away during the backup',
    nextStep: "Check the server's error log, and run the backup again when it is up.",
  },
  {
    line: /Can't connect to|Failed to connect to (MariaDB|MySQL) server/i,
    code: 'database-unreachable',
    why: 'the server does not answer',
    nextStep: 'Check that the server runs and that the socket or the host and port are right.',
  },
  {
    line: /No space left on device|\(errno: 28\b|Disk is full|Errcode: 28\b/i,
    code: 'disk-full',
    why: 'the disk is full',
    nextStep: 'Free space on the file system that the last lines name, and try again.',
  },
  {
    line: /Too many open files|\(errno: 24\b|Errcode: 24\b/i,
    code: 'too-many-open-files',
    why: 'the tool may not open enough files',
    nextStep: 'Raise the limit of open files (ulimit -n) of the user who runs Holdfast above the number of tables.',
  },
  {
    line: /did not find valid files|could not find redo log file|log block numbers mismatch|log copying failed|Was the log overwritten|read_logfile\(\) failed|Error \d+ in log record/i,
    code: 'redo-overrun',
    why: 'the server overwrote its redo log faster than it could be copied',
    nextStep: "Make the server's redo log larger, or back up at a quieter time, and try again.",
  },
  {
    line: /optimized \(without redo logging\) DDL|DDL operation has been performed|ALTER TABLE.*during backup/i,
    code: 'ddl-during-backup',
    why: 'a change of a table ran without redo log during the backup',
    nextStep: 'Run the backup again when no table is being altered.',
  },
  {
    line: /Redo logging is disabled/i,
    code: 'redo-disabled',
    why: 'redo logging is switched off on the server',
    nextStep: 'Run ALTER INSTANCE ENABLE INNODB REDO_LOG, and try again.',
    isPermanent: true,
  },
  {
    line: /Lock wait timeout exceeded|Unable to obtain lock|waiting.*too long/i,
    code: 'lock-not-granted',
    why: 'the server did not grant the lock in time',
    nextStep: 'Look for long statements or open transactions on the server, and try again.',
  },
  {
    line: /Page read from tablespace is corrupted|page corruption|Database page corruption|failed to read page after|is corrupted\. Please/i,
    code: 'page-corrupted',
    why: 'a page of a table is corrupt on the server',
    nextStep:
      'Check the table that the last lines name with CHECK TABLE, and repair it from a replica or an earlier backup.',
    isPermanent: true,
  },
];

export interface JudgeOptions {
  /** "back up the server", "prepare /some/directory": what follows "Cannot". */
  readonly what: string;
  readonly tool: string;
  readonly secrets?: readonly string[];
}

/** Characters of a line that are looked at and kept as evidence. */
const maximumLine = 2_000;

/** Success is exit code 0 and, as the very last line, `completed OK!`. Everything else is a failure, named as well as can be. */
export function judgeTool(ending: Ending, options: JudgeOptions): Failure | undefined {
  const lines = ending.lastLines
    .filter((line) => line.trim() !== '')
    .map((line) => withoutSecrets(line, options.secrets).slice(0, maximumLine));
  if (ending.exitCode === 0 && lines.at(-1)?.endsWith('completed OK!')) return undefined;
  const evidence = lines.slice(-20);
  const known = knownFailure(lines, options.what, evidence);
  if (known && ending.signal === null && ending.exitCode !== 0) return known;
  return unknownFailure(ending, options, evidence);
}

function knownFailure(lines: readonly string[], what: string, evidence: readonly string[]): Failure | undefined {
  for (const { line: pattern, code, why, nextStep, isPermanent } of failureLines) {
    const line = lines.find((each) => pattern.test(each));
    if (line === undefined) continue;
    const message = `Cannot ${what} as ${why}: ${line.trim()}`;
    const details = { nextStep, evidence };
    return isPermanent ? new PermanentFailure(code, message, details) : new ToolFailed(code, message, details);
  }
  return undefined;
}

function unknownFailure(ending: Ending, { what, tool }: JudgeOptions, evidence: readonly string[]): Failure {
  const nextStep = 'Read the last lines of the tool, and try again.';
  if (ending.signal !== null) {
    return new ToolFailed('tool-killed', `Cannot ${what} as ${tool} was ended by a signal: ${ending.signal}`, {
      nextStep: 'Check the system log for what ended it, such as a lack of memory, and try again.',
      evidence,
    });
  }
  if (ending.exitCode === 0) {
    return new ToolFailed(
      'tool-not-completed',
      `Cannot ${what} as ${tool} ended without saying that it completed: ${evidence.at(-1) ?? 'it said nothing'}`,
      { nextStep, evidence },
    );
  }
  return new ToolFailed(
    'tool-failed',
    `Cannot ${what} as ${tool} ended with exit code ${ending.exitCode}: ${evidence.at(-1) ?? 'it said nothing'}`,
    { nextStep, evidence },
  );
}
