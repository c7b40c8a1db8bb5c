import { Failure } from '../lib/failure.ts';
import type { Ending } from '../lib/process.ts';
import { targetFull } from '../lib/target-full.ts';

const what = 'start a server on the restored data';

/** How a server ends on data that it cannot bear. Every other signal was sent by someone. */
const crashSignals: readonly NodeJS.Signals[] = [
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGSYS',
  'SIGTRAP',
];
/** How a shell and the loader of programs end when there is no running it. */
const notRunCodes: readonly (number | null)[] = [126, 127];

const diskFull =
  /(?:errno:?|Errcode:|error number|failed with error) (?:28|122)\b|No space left on device|Disk quota exceeded/i;
/** Not by the words alone: servers say them of what they can do without, too. */
const accessRefused =
  /(?:errno:?|Errcode:|error number) 13\b|data file '[^']*' must be writable|\[ERROR\].*(?:Permission denied|required defaults file)/i;

const keptLines = 40;

/** @param lines all that is left of what it printed and logged */
export function serverEnded(program: string, ending: Ending, lines: readonly string[]): Failure {
  const how = `${program} ended with ${ending.signal ?? ending.exitCode ?? 'nothing'}`;
  const evidence = lines.slice(-keptLines);
  return (
    hostsFault(lines) ??
    endedByOthers(how, ending, evidence) ??
    new Failure('scratch-server-ended', `Cannot ${what} as it ended before it answered: ${how}`, {
      evidence,
      nextStep:
        'The last lines of its error log tell why; if they name damaged pages or missing files, this backup does not restore.',
    })
  );
}

/** @param lines all that is left of what it logged */
export function serverSilent(limitMs: number, lines: readonly string[]): Failure {
  return (
    hostsFault(lines) ??
    new Failure(
      'scratch-server-silent',
      `Cannot use the server on the restored data as it does not answer: ${limitMs / 1000} s have passed`,
      {
        evidence: lines.slice(-keptLines),
        nextStep: 'See what the last lines of its error log wait for, and drill again when this host has less to do.',
      },
    )
  );
}

/** What says nothing about the data: this host did not let the server do its work. */
function hostsFault(lines: readonly string[]): Failure | undefined {
  const evidence = lines.slice(-keptLines);
  if (lines.some((line) => diskFull.test(line))) return targetFull(what, { evidence });
  const refused = lines.find((line) => accessRefused.test(line) && !line.includes('[Warning]'));
  if (refused === undefined) return undefined;
  return new Failure('scratch-server-refused', `Cannot ${what} as the system refused it a file: ${refused.trim()}`, {
    evidence,
    nextStep:
      'See in the system log whether a profile, such as one of AppArmor, keeps the server out of the scratch directory; if so, drill in a directory that it allows.',
  });
}

function endedByOthers(how: string, ending: Ending, evidence: readonly string[]): Failure | undefined {
  const { signal, exitCode } = ending;
  if (notRunCodes.includes(exitCode))
    return new Failure('tool-not-started', `Cannot ${what} as the program could not be run: ${how}`, {
      evidence,
      nextStep: 'Run the program with --version, and install what it lacks.',
    });
  // A server that is told to stop by SIGTERM ends well.
  if (exitCode !== 0 && (signal === null || crashSignals.includes(signal))) return undefined;
  return new Failure('scratch-server-killed', `Cannot ${what} as it was ended from outside: ${how}`, {
    evidence,
    nextStep: 'Check the system log for what ended it, such as a lack of memory, and try again.',
  });
}
