import { randomBytes } from 'node:crypto';
import { isoTime } from '../lib/clock.ts';
import { InvalidRequest } from '../lib/failure.ts';

/**
 * The names of everything in a repository, all relative to its folder. Names, once used, are never used again, and no
 * object is ever overwritten, so that a bucket with object lock serves and a cache is never stale.
 */

const BACKUP_ID = /^\d{8}T\d{6}Z-[0-9a-f]{8}$/;
const ATTEMPT_ID = /^[0-9a-f]{8}$/;
const SEGMENT_NAME = /^(\d{8}T\d{6}Z-[0-9a-f]{8})\/([0-9a-f]{8})-(\d{6,9})$/;

export const REPOSITORY_KEY = 'repository.json';
export const KEYS = 'keys/';
export const BEGUN = 'begun/';
export const BACKUPS = 'backups/';
export const SEALS = 'seals/';
export const DELETED = 'deleted/';
export const NOTES = 'notes/';

/** Sorts by the second it was made in; random enough for any number of writers. */
export function newBackupId(nowMs: number): string {
  const second = isoTime(nowMs).replaceAll(/[-:]|\.\d+/g, '');
  return `${second}-${randomBytes(4).toString('hex')}`;
}

export function newAttemptId(): string {
  return randomBytes(4).toString('hex');
}

export function isBackupId(text: string): boolean {
  return BACKUP_ID.test(text);
}

export function parseBackupId(text: string): string {
  if (!isBackupId(text)) {
    throw new InvalidRequest('invalid-backup-id', `Cannot use ${JSON.stringify(text)} as it is no backup id`, {
      nextStep: 'Ids look like 20261121T014327Z-9f3a21bc; `holdfast repository list` shows them.',
    });
  }
  return text;
}

/** One attempt to make one backup; all that it writes is named after it. */
export interface AttemptName {
  readonly backup: string;
  readonly attempt: string;
}

/** `<backup id>/<attempt id>-<number, six digits or more>`: how segments are named inside the index. */
export function segmentName({ backup, attempt }: AttemptName, number: number): string {
  return `${backup}/${attempt}-${String(number).padStart(6, '0')}`;
}

export interface ParsedSegmentName extends AttemptName {
  readonly number: number;
}

export function parseSegmentName(name: string): ParsedSegmentName | undefined {
  const match = SEGMENT_NAME.exec(name);
  if (!match) return undefined;
  const [, backup = '', attempt = '', digits = ''] = match;
  const number = Number(digits);
  return segmentName({ backup, attempt }, number) === name ? { backup, attempt, number } : undefined;
}

export function segmentKey(name: string): string {
  return `${BACKUPS}${name}.segment`;
}

/** @returns the segment's name, or undefined when the key is not one of a segment. */
export function segmentOfKey(key: string): string | undefined {
  if (!key.startsWith(BACKUPS) || !key.endsWith('.segment')) return undefined;
  const name = key.slice(BACKUPS.length, -'.segment'.length);
  return parseSegmentName(name) ? name : undefined;
}

export function indexKey({ backup, attempt }: AttemptName): string {
  return `${BACKUPS}${backup}/${attempt}-index`;
}

export function logKey({ backup, attempt }: AttemptName): string {
  return `${BACKUPS}${backup}/${attempt}-log`;
}

export function dataPrefix(backup: string): string {
  return `${BACKUPS}${backup}/`;
}

/** One for each attempt, so that none overwrites the time of another. */
export function begunKey({ backup, attempt }: AttemptName): string {
  return `${BEGUN}${backup}/${attempt}.json`;
}

export function parseBegunKey(key: string): AttemptName | undefined {
  const [, backup = '', attempt = ''] = /^begun\/([^/]+)\/([^/.]+)\.json$/.exec(key) ?? [];
  return isBackupId(backup) && isAttemptId(attempt) ? { backup, attempt } : undefined;
}

export function sealKey(backup: string): string {
  return `${SEALS}${backup}.json`;
}

export function deletedKey(backup: string): string {
  return `${DELETED}${backup}.json`;
}

export function slotKey(slot: string): string {
  return `${KEYS}${slot}.json`;
}

export function notesPrefix(backup: string): string {
  return `${NOTES}${backup}/`;
}

/** The kind stands in the name, so that a listing finds notes of one kind without reading all of them. */
export function newNoteKey(backup: string, { kind, nowMs }: { readonly kind: string; readonly nowMs: number }): string {
  return `${notesPrefix(backup)}${newBackupId(nowMs)}.${kind}.json`;
}

export interface ParsedNoteKey {
  readonly backup: string;
  readonly kind: string;
}

export function parseNoteKey(key: string): ParsedNoteKey | undefined {
  const [, backup = '', , kind = ''] = /^notes\/([^/]+)\/([^/.]+)\.([a-z-]+)\.json$/.exec(key) ?? [];
  return isBackupId(backup) ? { backup, kind } : undefined;
}

/** @returns the backup id in a key such as `seals/<id>.json`, or undefined for anything else that lies there. */
export function backupOfKey(key: string, prefix: string): string | undefined {
  const id = key.slice(prefix.length).replace(/\.json$/, '');
  return key.startsWith(prefix) && isBackupId(id) ? id : undefined;
}

export function isAttemptId(text: string): boolean {
  return ATTEMPT_ID.test(text);
}
