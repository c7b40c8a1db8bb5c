import { CorruptData, Failure, withNextStep } from '../lib/failure.ts';
import { targetFull } from '../lib/target-full.ts';
import { ObjectNotFound } from '../storage/storage.ts';
import { BadSegment, DAMAGED_NEXT_STEP } from './bad-segment.ts';
import { noteBadSegments } from './notes.ts';
import type { Repository } from './repository.ts';

/** A note that cannot be written must not hold up who waits for a restore. */
const NOTE_LIMIT_MS = 30_000;

/**
 * What went wrong while a sealed backup was read: an object of it that is gone is damage, not a wrong name. All damage says what
 * to do.
 */
export function readingFailure(error: unknown): unknown {
  if (!(error instanceof ObjectNotFound)) return withNextStep(error, DAMAGED_NEXT_STEP);
  return new CorruptData('repository-damaged', error.message, { cause: error, nextStep: DAMAGED_NEXT_STEP });
}

/** What went wrong while a backup's files were written below a directory. */
export function restoringFailure(error: unknown, directory: string): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return readingFailure(error);
  const code = String(error.code);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return targetFull(`write to ${directory}`, { cause: error, evidence: [code] });
  return new Failure('target-not-written', `Cannot write to ${directory} as the system refused: ${code}`, {
    cause: error,
    nextStep: 'Check that the disk is healthy and may be written to.',
  });
}

/**
 * Notes the segment that turned out to be bad, if one did. What is gone needs no note: no backup leans on what is not there.
 * @returns the same error, also where the note could not be written
 */
export async function learntFrom(error: unknown, repository: Repository): Promise<unknown> {
  if (!(error instanceof BadSegment)) return error;
  const { segment, message: reason } = error;
  // Whoever cannot write to the store can still read from it; the next one that finds it may note it.
  await noteBadSegments(repository, [{ segment, reason }], AbortSignal.timeout(NOTE_LIMIT_MS)).catch(() => undefined);
  return error;
}
