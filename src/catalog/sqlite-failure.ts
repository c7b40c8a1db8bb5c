import * as z from 'zod';
import { CorruptData, Failure } from '../lib/failure.ts';

const sqliteErrorSchema = z.object({ code: z.literal('ERR_SQLITE_ERROR'), errcode: z.int(), errstr: z.string() });

const BUSY = 5;
const CORRUPT = 11;
const FULL = 13;
const CONSTRAINT = 19;
const NOT_A_DATABASE = 26;
/** The index of the write-ahead log could not grow. */
const IOERR_SHMSIZE = 4874;

/** The primary code of an error of SQLite; undefined for any other error. */
export function primaryCodeOf(error: unknown): number | undefined {
  const parsed = sqliteErrorSchema.safeParse(error);
  return parsed.success ? parsed.data.errcode & 0xff : undefined;
}

export function isConstraintError(error: unknown): boolean {
  return primaryCodeOf(error) === CONSTRAINT;
}

/** An error of SQLite in the words of a person who runs the manager; a Failure stays what it is. */
export function catalogFailure(error: unknown, file: string): Failure {
  if (error instanceof Failure) return error;
  const code = primaryCodeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code === FULL || sqliteErrorSchema.safeParse(error).data?.errcode === IOERR_SHMSIZE)
    return new Failure('catalog-full', `Cannot write to the catalog as its disk is full: ${file}`, {
      cause: error,
      nextStep: 'Free some space there. Nothing that was written before is lost, and work goes on by itself.',
    });
  if (code === BUSY)
    return new Failure('catalog-busy', `Cannot use the catalog as another program holds it locked: ${file}`, {
      cause: error,
      nextStep: 'Close the program that has the file open.',
    });
  if (code === CORRUPT || code === NOT_A_DATABASE)
    return new CorruptData('catalog-damaged', `Cannot use the catalog as its file is damaged: ${file}`, {
      cause: error,
      evidence: [message],
      nextStep: 'Stop the manager and put a copy of its data directory back. What is in the buckets is not affected.',
    });
  return new Failure('catalog-failed', `Cannot use the catalog as its database failed: ${message} (${file})`, {
    cause: error,
    nextStep: 'Check the disk and the owner of that file.',
  });
}
