import { describe, expect, it } from 'vitest';
import { isPermanent } from '../lib/failure.ts';
import { judgeTool } from './failure-lines.ts';

const options = { what: 'back up the server', tool: 'mariadb-backup', secrets: ['geheim'] };

function failed(...lastLines: string[]): ReturnType<typeof judgeTool> {
  return judgeTool({ exitCode: 1, signal: null, lastLines }, options);
}

describe('a tool that', () => {
  it('ended with 0 and completed OK! did well', () => {
    expect(
      judgeTool({ exitCode: 0, signal: null, lastLines: ['[00] 2026-11-21 02:03:07 completed OK!', ''] }, options),
    ).toBeUndefined();
  });

  it.each([
    [
      'said nothing of completion',
      { exitCode: 0, signal: null, lastLines: ['All tables unlocked'] },
      'tool-not-completed',
    ],
    [
      'said more after it',
      { exitCode: 0, signal: null, lastLines: ['completed OK!', 'Aborted'] },
      'tool-not-completed',
    ],
    ['ended with 7 in spite of it', { exitCode: 7, signal: null, lastLines: ['completed OK!'] }, 'tool-failed'],
    [
      'was killed',
      { exitCode: null, signal: 'SIGKILL' as const, lastLines: ['Access denied for user x'] },
      'tool-killed',
    ],
  ])('%s did not', (_, ending, code) => {
    expect(judgeTool(ending, options)).toMatchObject({ code });
  });

  it.each([
    [
      "Failed to connect to MariaDB server: Access denied for user 'bk'@'localhost' (using password: YES).",
      'database-access-denied',
      true,
    ],
    [
      "Failed to connect to MariaDB server: Can't connect to local server through socket '/s' (2 \"No such file or directory\").",
      'database-unreachable',
      false,
    ],
    ['Error: missing required privilege RELOAD on *.*', 'missing-privilege', true],
    [
      'FATAL ERROR: failed to execute query SHOW MASTER STATUS: Access denied; you need (at least one of) the SUPER, BINLOG MONITOR privilege(s) for this operation',
      'missing-privilege',
      true,
    ],
    [
      "[ERROR] failed to execute query 'LOCK INSTANCE FOR BACKUP' : 1227 (42000) Access denied; you need (at least one of) the BACKUP_ADMIN privilege(s)",
      'missing-privilege',
      true,
    ],
    ["Can't change dir to '/data/' (errno: 13 \"Permission denied\")", 'data-directory-unreadable', true],
    ['Error writing file \'UNOPENED\' (errno: 28 "No space left on device")', 'disk-full', false],
    ['FATAL ERROR: failed to execute query BACKUP LOCK x: Server has gone away', 'server-lost', false],
    ["Unsupported server version: '8.4.2'", 'tool-version', true],
    ["Unknown system variable 'max_statement_time'", 'tool-version', true],
    ['log block numbers mismatch:', 'redo-overrun', false],
    ['Found tables with row versions due to INSTANT ADD/DROP columns', 'instant-columns', true],
    ["xtrabackup: unknown option '--lock-ddl-timeout=600'", 'tool-options', true],
  ])('said "%s"', (line, code, permanent) => {
    const failure = failed('[00] something before', `[00] 2026-11-21 02:03:07 ${line}`, 'something after');
    expect(failure).toMatchObject({ code, nextStep: expect.stringMatching(/\.$/) });
    expect(isPermanent(failure)).toBe(permanent);
  });

  it('printed a secret: it is neither in the message nor in the evidence', () => {
    const failure = failed('cannot use geheim', '--password=other');
    expect(JSON.stringify([failure?.message, failure?.evidence])).not.toMatch(/geheim|other/);
  });
});
