import { Failure, InvalidRequest, PermanentFailure } from '../lib/failure.ts';

/** What was being done to which file, for the message. */
export interface DirectoryAct {
  /** E.g. `store begun/b-1.json`. */
  readonly act: string;
  readonly root: string;
}

/** The system's code of an error, e.g. `ENOSPC`. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The failure for a root that is not there (any more). */
export function rootMissing({ act, root }: DirectoryAct, cause: unknown): PermanentFailure {
  return new PermanentFailure('storage-missing', `Cannot ${act} as the storage directory is not there: ${root}`, {
    cause,
    nextStep:
      'Mount the disk that holds the directory, or create a repository in a new one with "holdfast repository init".',
  });
}

/** Turns an error of the file system into one that says what to do. Failures pass through. */
export function directoryFailure(error: unknown, { act, root }: DirectoryAct): Error {
  if (error instanceof Failure) return error;
  const explain = explanations[systemCode(error) ?? ''] ?? failed;
  const { kind, code, why, nextStep } = explain(error instanceof Error ? error.message : String(error));
  return new kind(code, `Cannot ${act} as ${why}: ${root}`, { cause: error, nextStep });
}

interface Explanation {
  readonly kind: typeof Failure;
  readonly code: string;
  readonly why: string;
  readonly nextStep: string;
}

type Explain = (message: string) => Explanation;

const full: Explain = () => ({
  kind: Failure,
  code: 'storage-full',
  why: 'the disk or the quota is full',
  nextStep: 'Free space on the file system of the storage directory, or delete backups that are no longer needed.',
});

const readOnly: Explain = () => ({
  kind: PermanentFailure,
  code: 'storage-read-only',
  why: 'the file system is mounted read-only',
  nextStep: 'Mount the file system of the storage directory for writing; the system log says why it is read-only.',
});

const denied: Explain = (message) => ({
  kind: PermanentFailure,
  code: 'storage-access-denied',
  why: `user ${process.geteuid?.() ?? 'unknown'} may not (${message})`,
  nextStep: 'Give this user read and write access to the storage directory and everything in it.',
});

const impossible: Explain = (message) => ({
  kind: InvalidRequest,
  code: 'storage-key-invalid',
  why: `no file can have that name there (${message})`,
  nextStep: 'Use a shorter key, and none that is the folder of another one.',
});

const failed: Explain = (message) => ({
  kind: Failure,
  code: 'storage-failed',
  why: `the file system failed (${message})`,
  nextStep: 'Look into the system log for errors of the disk or the network file system.',
});

const explanations: Readonly<Record<string, Explain>> = {
  ENOSPC: full,
  EDQUOT: full,
  EROFS: readOnly,
  EACCES: denied,
  EPERM: denied,
  ENOTDIR: impossible,
  EISDIR: impossible,
  ENOTEMPTY: impossible,
  ENAMETOOLONG: impossible,
};
