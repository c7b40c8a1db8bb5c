import { expect, it } from 'vitest';
import {
  type LockRule,
  LockState,
  mariadbLockRules,
  mariadbUnstagedLockRules,
  xtrabackupLockRules,
} from './lock-state.ts';

function levels(rules: readonly LockRule[], lines: readonly string[]): string[] {
  const seen: string[] = [];
  const state = new LockState(rules, (level) => seen.push(level));
  for (const line of lines) state.observe(line);
  return seen;
}

it('follows the stages of mariadb-backup since 10.11.8', () => {
  const lines = [
    '[00] 2026-11-21 02:03:06 Starting BACKUP STAGE START',
    '[00] 2026-11-21 02:03:06 Acquiring BACKUP LOCKS...',
    '[00] 2026-11-21 02:03:06 Acquired locks for BACKUP STAGE START',
    '[01] 2026-11-21 02:03:06 Streaming ibdata1',
    '[00] 2026-11-21 02:03:06 Finished BACKUP STAGE START',
    '[00] 2026-11-21 02:03:06 Starting BACKUP STAGE FLUSH',
    '[00] 2026-11-21 02:03:06 Started BACKUP STAGE BLOCK_DDL',
    '[00] 2026-11-21 02:03:07 Finished BACKUP STAGE BLOCK_DDL',
    '[00] 2026-11-21 02:03:07 Starting BACKUP STAGE BLOCK_COMMIT',
    '[00] 2026-11-21 02:03:07 Finishing BACKUP STAGE BLOCK_COMMIT',
    '[00] 2026-11-21 02:03:07 Executing BACKUP STAGE END',
    '[00] 2026-11-21 02:03:07 All tables unlocked',
  ];
  expect(levels(mariadbLockRules, lines)).toEqual(['changes', 'commits', 'none']);
});

it('follows mariadb-backup before that', () => {
  expect(
    levels(mariadbUnstagedLockRules, [
      '[00] 2023-01-01 00:00:00 Acquiring BACKUP LOCKS...',
      '[00] 2023-01-01 00:00:09 All tables unlocked',
    ]),
  ).toEqual(['commits', 'none']);
});

it('follows xtrabackup', () => {
  const prefix = '2025-07-28T01:01:35.767004+03:00 0 [Note] [MY-011825] [Xtrabackup] ';
  const lines = [
    'Executing LOCK INSTANCE FOR BACKUP ...',
    'Executing FLUSH TABLES WITH READ LOCK...',
    'Executing UNLOCK INSTANCE',
    'All tables unlocked',
  ];
  expect(
    levels(
      xtrabackupLockRules,
      lines.map((line) => prefix + line),
    ),
  ).toEqual(['changes', 'commits', 'none']);
});
