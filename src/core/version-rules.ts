import type { Finding, Vendor } from '../engine/engine.ts';

export interface ServerVersion {
  readonly vendor: Vendor;
  /** As the server spells it. */
  readonly version: string;
}

/**
 * Can `server` open the files of a backup of `backup`? By the servers' own rules of upgrade: never backwards, and where a
 * vendor demands it, not past a long-term release. Pure.
 */
export function judgeVersions(backup: ServerVersion, server: ServerVersion): Finding {
  const [from, to] = [parse(backup.version), parse(server.version)];
  if (from === undefined || to === undefined) {
    const versions = `${backup.vendor} ${backup.version} to ${server.vendor} ${server.version}`;
    return refuse('version-unknown', `It cannot be told whether ${versions} is possible: a version cannot be read.`);
  }
  const pair = `${backup.vendor} ${textOf(from)} to ${server.vendor} ${textOf(to)}`;
  if (familyOf(backup) !== familyOf(server))
    return refuse('other-vendor', `A physical backup does not go from ${pair}: their files differ.`);
  const order = compare(from, to);
  if (order > 0) return judgeDowngrade(backup, { from, to, pair });
  if (from.major === to.major && from.minor === to.minor) {
    return {
      level: 'ok',
      code: 'version-fits',
      message: `The server (${server.vendor} ${textOf(to)}) can open a backup of ${backup.vendor} ${textOf(from)}.`,
    };
  }
  return familyOf(server) === 'MariaDB' ? upgradeMariadb(pair) : judgeMysqlUpgrade({ from, to, pair });
}

interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

interface Step {
  readonly from: Version;
  readonly to: Version;
  readonly pair: string;
}

/** MySQL and Percona Server read each other's files. */
function familyOf({ vendor }: ServerVersion): 'MariaDB' | 'MySQL' {
  return vendor === 'MariaDB' ? 'MariaDB' : 'MySQL';
}

function judgeDowngrade(backup: ServerVersion, { from, to, pair }: Step): Finding {
  const isWithinSeries = from.major === to.major && from.minor === to.minor;
  // MySQL 8.0 changes its dictionary in patch releases and refuses one that is newer than itself.
  const isPatchOfMysql80 = familyOf(backup) === 'MySQL' && from.major === 8 && from.minor === 0;
  if (!isWithinSeries || isPatchOfMysql80)
    return refuse(
      'version-downgrade',
      `A restore from ${pair} would be a downgrade, which the server does not support.`,
    );
  return {
    level: 'warning',
    code: 'version-older-patch',
    message: `A restore from ${pair} goes to an older patch release.`,
    nextStep: 'Drill the backup on that server first, or update the server.',
  };
}

function upgradeMariadb(pair: string): Finding {
  return {
    level: 'warning',
    code: 'version-upgrade',
    message: `A restore from ${pair} is an upgrade.`,
    nextStep: 'Run mariadb-upgrade when the server is up; there is no way back to the older release.',
  };
}

/** From a release one may go to every later one up to the next long-term release. */
function judgeMysqlUpgrade({ from, to, pair }: Step): Finding {
  const next = nextLongTerm(from);
  if (next !== undefined && compare({ ...to, patch: 0 }, next) > 0) {
    return refuse(
      'version-too-far',
      `A restore from ${pair} skips MySQL ${next.major}.${next.minor}, which the server does not support.`,
    );
  }
  return {
    level: 'warning',
    code: 'version-upgrade',
    message: `A restore from ${pair} is an upgrade: the server does it when it starts.`,
    nextStep: 'Drill the backup on that release first; there is no way back to the older one.',
  };
}

const longTerm: readonly Version[] = [
  { major: 5, minor: 7, patch: 0 },
  { major: 8, minor: 0, patch: 0 },
  { major: 8, minor: 4, patch: 0 },
  { major: 9, minor: 7, patch: 0 },
];

function nextLongTerm(from: Version): Version | undefined {
  return longTerm.find((release) => compare(release, { ...from, patch: 0 }) > 0);
}

function compare(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch;
}

function parse(text: string): Version | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]) };
}

/** Without what packagers add. */
function textOf({ major, minor, patch }: Version): string {
  return `${major}.${minor}.${patch}`;
}

function refuse(code: string, message: string): Finding {
  return { level: 'error', code, message, nextStep: 'Restore onto a server of the release that was backed up.' };
}
