import { Conflict, CorruptData, Failure, InvalidRequest } from '../lib/failure.ts';

/** What the program's ending tells a script; part of the interface, so numbers never change their meaning. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  damaged: 5,
  conflict: 6,
  hungUp: 129,
  interrupted: 130,
  killed: 137,
  readerGone: 141,
  terminated: 143,
} as const;

export const exitCodeMeanings: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'All that was asked for is done.',
  failed: 'It failed; the message says why. Trying again later may help.',
  usage: 'The command line, or something it asks for, makes no sense. Nothing was touched.',
  notFound: 'There is no such repository, bucket, backup, key slot, or whatever else is named.',
  denied: 'Wrong or missing passphrase, key file, credentials or database user.',
  damaged: 'Damaged data was found: something stored is not what was written, or a restored table is not good.',
  conflict: 'Something else is under way or already there.',
  hungUp: 'Ended by SIGHUP: the terminal was closed.',
  interrupted: 'Ended by SIGINT, that is Ctrl-C.',
  killed:
    'Ended by SIGKILL, which an agent also sends itself when its work goes on 15 seconds after it was asked to end.',
  readerGone: 'Whoever read the output has gone, as in `holdfast … | head -1`.',
  terminated: 'Ended by SIGTERM.',
};

/** Codes of failures that say more than their class. */
const codes: Readonly<Record<string, readonly string[]>> = {
  notFound: [
    'not-a-repository',
    'no-such-backup',
    'no-such-restore',
    'no-such-drill',
    'no-such-service',
    'no-such-location',
    'no-such-agent',
    'no-such-token',
    'no-such-slot',
    'object-not-found',
    'storage-missing',
  ],
  denied: [
    'key-needed',
    'wrong-key',
    'weak-passphrase',
    'weak-key-file',
    'storage-access-denied',
    'storage-credentials-wrong',
    'storage-credentials-missing',
    'database-access-denied',
    'database-login-method',
    'database-privilege-missing',
    'missing-privilege',
    'agent-not-trusted',
    'manager-not-trusted',
    'password-needed',
    'not-allowed',
    'not-authorised',
    'token-needed',
  ],
  damaged: [
    'segment-gone',
    'not-proven',
    'scratch-server-ended',
    'page-corrupted',
    'repository-damaged',
    'not-authentic',
    'wrong-bytes',
  ],
  conflict: [
    'busy',
    'already-settled',
    'already-succeeded',
    'folder-not-empty',
    'repository-exists',
    'target-not-empty',
    'server-running',
  ],
  usage: ['unknown-location', 'restore-directory-not-allowed'],
};

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof Failure)) return EXIT.failed;
  const named = Object.entries(EXIT).find(([name]) => codes[name]?.includes(error.code));
  if (named) return named[1];
  if (error instanceof CorruptData) return EXIT.damaged;
  if (error instanceof Conflict) return EXIT.conflict;
  return error instanceof InvalidRequest ? EXIT.usage : EXIT.failed;
}
