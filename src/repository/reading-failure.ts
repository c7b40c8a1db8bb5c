import { CorruptData, Failure } from '../lib/failure.ts';
import { targetFull } from '../lib/target-full.ts';
import { ObjectNotFound } from '../storage/storage.ts';

/** What went wrong while a sealed backup was read: an object of it that is gone is damage, not a wrong name. */
export function readingFailure(error: unknown): unknown {
  if (!(error instanceof ObjectNotFound)) return error;
  return new CorruptData('repository-damaged', error.message, {
    cause: error,
    nextStep:
      'Use another backup; `holdfast repository check` tells which ones are whole. A new one leans on nothing that is gone.',
  });
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
