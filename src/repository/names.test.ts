import { describe, expect, test } from 'vitest';
import { InvalidRequest } from '../lib/failure.ts';
import {
  backupOfKey,
  begunKey,
  newBackupId,
  newNoteKey,
  parseBackupId,
  parseBegunKey,
  parseNoteKey,
  parseSegmentName,
  segmentKey,
  segmentName,
  segmentOfKey,
} from './names.ts';

const BACKUP = '20261121T014327Z-9f3a21bc';

test('a backup id tells its second and sorts by it', () => {
  const id = newBackupId(Date.UTC(2026, 10, 21, 1, 43, 27, 999));
  expect(id).toMatch(/^20261121T014327Z-[0-9a-f]{8}$/);
  expect(newBackupId(Date.UTC(2026, 10, 21, 1, 43, 28)) > id).toBe(true);
  expect(parseBackupId(id)).toBe(id);
});

test.each(['', 'x', `${BACKUP}x`, BACKUP.toUpperCase(), `../${BACKUP}`, `${BACKUP}\n`])(
  '%j is no backup id',
  (text) => {
    expect(() => parseBackupId(text)).toThrow(InvalidRequest);
  },
);

describe('a segment', () => {
  test.each([1, 999_999, 1_000_000, 999_999_999])('number %i has one name', (number) => {
    const name = segmentName({ backup: BACKUP, attempt: '0123abcd' }, number);
    expect(parseSegmentName(name)).toEqual({ backup: BACKUP, attempt: '0123abcd', number });
    expect(segmentOfKey(segmentKey(name))).toBe(name);
  });

  test.each([
    `${BACKUP}/0123abcd-0000001`,
    `${BACKUP}/0123abcd-1`,
    `${BACKUP}/0123abcd-00000x`,
    `${BACKUP}/0123ABCD-000001`,
    `../${BACKUP}/0123abcd-000001`,
    `${BACKUP}/0123abcd-000001.segment`,
  ])('is not named %s', (name) => {
    expect(parseSegmentName(name)).toBeUndefined();
    expect(segmentOfKey(segmentKey(name))).toBeUndefined();
  });
});

test('other keys tell whose they are', () => {
  const name = { backup: BACKUP, attempt: '0123abcd' };
  expect(parseBegunKey(begunKey(name))).toEqual(name);
  expect(parseBegunKey(`begun/${BACKUP}.json`)).toBeUndefined();
  expect(parseNoteKey(newNoteKey(BACKUP, { kind: 'bad-segment', nowMs: 0 }))).toEqual({
    backup: BACKUP,
    kind: 'bad-segment',
  });
  expect(backupOfKey(`seals/${BACKUP}.json`, 'seals/')).toBe(BACKUP);
  expect(backupOfKey(`seals/${BACKUP}.json.bak`, 'seals/')).toBeUndefined();
  expect(backupOfKey(`deleted/${BACKUP}.json`, 'seals/')).toBeUndefined();
});
