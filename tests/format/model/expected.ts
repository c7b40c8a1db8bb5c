import { Failure } from '../../../src/lib/failure.ts';
import { ObjectNotFound } from '../../../src/storage/storage.ts';
import { AnswerLost, type Kind } from './scheduler.ts';

/**
 * What each kind may be told: somebody else settled the backup first; what a backup leans on went as its own was deleted
 * meanwhile; a collection met another one.
 */
const codes: Readonly<Record<Kind, readonly string[]>> = {
  writer: ['already-settled', 'segment-gone', 'object-not-found'],
  deleter: [],
  restore: ['repository-damaged'],
  clearer: ['already-settled'],
  pruner: ['repository-changed', 'table-unreadable'],
};

/** Codes that are expected only where an object is gone, and never where one is not what it must be. */
const onlyOfGone = ['repository-damaged', 'table-unreadable'];

export function isExpected(kind: Kind, error: unknown): boolean {
  if (error instanceof AnswerLost) return true;
  if (!(error instanceof Failure) || !codes[kind].includes(error.code)) return false;
  return !onlyOfGone.includes(error.code) || error.cause instanceof ObjectNotFound;
}
