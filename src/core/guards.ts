import type { Vendor } from '../engine/engine.ts';
import { PermanentFailure } from '../lib/failure.ts';

/**
 * The guard of a data directory: files that make a server refuse to start while a worthless stand-in is in their place.
 * Stand-ins go in first, in this order, and are replaced last, in the reverse order, so at every instant between the old
 * data and the new at least the first file of the list is a stand-in.
 */
export interface Guard {
  readonly vendor: Vendor;
  /** `major.minor`: a row speaks for one release series and no other. */
  readonly series: string;
  readonly files: readonly string[];
  readonly reason: string;
  /** The release on which the proof in tests/integration/guard.test.ts was first run; every run of the tests repeats it. */
  readonly provenOn: string;
}

const ariaAndInnodb = {
  files: ['aria_log_control', 'ibdata1'],
  reason:
    'A stand-in for aria_log_control stops Aria before it replays its log onto tables that are not there yet, and a server without ' +
    'Aria never starts. A stand-in for ibdata1 stops InnoDB before it writes anything and keeps it from making an empty one. ibdata1 ' +
    'alone is not enough: with another default storage engine the server starts without InnoDB.',
};

/** Every row is proven by starting the real server at every step of a placement; see docs/restore-guards.md. */
export const guards: readonly Guard[] = [
  { vendor: 'MariaDB', series: '10.11', ...ariaAndInnodb, provenOn: '10.11.19' },
  { vendor: 'MariaDB', series: '11.8', ...ariaAndInnodb, provenOn: '11.8.9' },
  {
    vendor: 'MySQL',
    series: '9.7',
    files: ['ibdata1'],
    reason:
      'InnoDB refuses a stand-in for ibdata1 before it writes anything, and the server cannot start without its data dictionary in InnoDB.',
    provenOn: '9.7.4',
  },
];

/**
 * The guard for a server, named as it names itself.
 * @throws PermanentFailure `guard-unknown`: what this server does with half a data directory has not been tried.
 */
export function guardFor(server: { vendor: Vendor; version: string }): Guard {
  const guard = findGuard(server);
  if (guard !== undefined) return guard;
  const known = guards.map((row) => `${row.vendor} ${row.series}`).join(', ');
  throw new PermanentFailure(
    'guard-unknown',
    `Cannot restore in place as it is not proven that ${server.vendor} ${server.version} refuses to start half-way: proven are ${known}`,
    {
      nextStep:
        'Restore into a directory that does not exist yet, and point the server to it when the restore has finished.',
    },
  );
}

/** The guard for a server, or undefined when none is proven. */
export function findGuard(server: { vendor: Vendor; version: string }): Guard | undefined {
  const series = seriesOf(server.version);
  return guards.find((row) => row.vendor === server.vendor && row.series === series);
}

/** `10.11` of `10.11.19-MariaDB-deb12`; undefined when the text is not a version. */
function seriesOf(version: string): string | undefined {
  return /^(\d+\.\d+)\.\d+/.exec(version)?.[1];
}
