import { InvalidRequest } from '../lib/failure.ts';
import type { AgentConfig } from './config.ts';

export interface UnitOptions {
  /** Of the agent, where a host has several. */
  readonly name: string | undefined;
  readonly user: string;
  /** The program and its arguments, complete. */
  readonly command: readonly [string, ...string[]];
  readonly config: Pick<AgentConfig, 'stateDirectory' | 'restore' | 'drill' | 'locations' | 'managedLocations'>;
}

/** `holdfast-agent`, or `holdfast-agent-db1` where a host has several. */
export function unitName(name: string | undefined): string {
  return name === undefined ? 'holdfast-agent' : `holdfast-agent-${name}`;
}

/** For reading the files of another user's database server; nothing can be changed with it. */
const readCapabilities = ['CAP_DAC_READ_SEARCH'];
/** Root restores in place: it writes to another user's directory, gives files away, and starts a drill's server as that user. */
const rootCapabilities = [
  ...readCapabilities,
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
];

/** The text of a systemd unit that lets an agent do its work and little else. Pure. */
export function systemdUnit({ name, user, command, config }: UnitOptions): string {
  const isRoot = user === 'root';
  const about = name === undefined ? 'Holdfast agent' : `Holdfast agent ${name}`;
  return section('Unit', [
    ['Description', about],
    ['After', 'network-online.target mariadb.service mysql.service mysqld.service'],
    ['Wants', 'network-online.target'],
    // It goes on trying, however often it failed.
    ['StartLimitIntervalSec', '0'],
  ])
    .concat(section('Service', [...process(user, command), ...limits(isRoot, config)]))
    .concat(section('Install', [['WantedBy', 'multi-user.target']]))
    .join('\n');
}

type Setting = readonly [name: string, value: string];

function process(user: string, command: readonly string[]): Setting[] {
  return [
    ['Type', 'exec'],
    ['User', user],
    ['ExecStart', command.map((word) => quoted(word)).join(' ')],
    ['Restart', 'always'],
    ['RestartSec', '5'],
    // What is under way is ended within 10 seconds.
    ['TimeoutStopSec', '30'],
    ['UMask', '0077'],
  ];
}

function limits(isRoot: boolean, config: UnitOptions['config']): Setting[] {
  const capabilities = (isRoot ? rootCapabilities : readCapabilities).join(' ');
  return [
    // Also for the backup tools, which the agent starts.
    ...(isRoot ? [] : ownUser(capabilities)),
    ['CapabilityBoundingSet', capabilities],
    ['NoNewPrivileges', 'yes'],
    ...fileSystem(config),
    ['PrivateTmp', 'yes'],
    ['PrivateDevices', 'yes'],
    ['ProtectClock', 'yes'],
    ['ProtectControlGroups', 'yes'],
    ['ProtectHostname', 'yes'],
    ['ProtectKernelLogs', 'yes'],
    ['ProtectKernelModules', 'yes'],
    ['ProtectKernelTunables', 'yes'],
    // Netlink tells which addresses the host has.
    ['RestrictAddressFamilies', 'AF_UNIX AF_INET AF_INET6 AF_NETLINK'],
    ['RestrictNamespaces', 'yes'],
    ['RestrictRealtime', 'yes'],
    ['RestrictSUIDSGID', 'yes'],
    ['LockPersonality', 'yes'],
    ['SystemCallArchitectures', 'native'],
    ['SystemCallFilter', '@system-service'],
  ];
}

/**
 * `mariadb-backup` asks with `access` whether it may read a file. Without the secure bit the kernel answers that for the user
 * alone, and leaves the capability out.
 */
function ownUser(capabilities: string): Setting[] {
  return [
    ['AmbientCapabilities', capabilities],
    ['SecureBits', 'no-setuid-fixup no-setuid-fixup-locked'],
  ];
}

/** A restore in place renames directories beside the data directory, wherever the server keeps that. */
function fileSystem(config: UnitOptions['config']): Setting[] {
  if (config.restore.mayRestoreInPlace) return [['ProtectSystem', 'full']];
  const paths = writtenPaths(config).map((path) => quoted(`-${path}`));
  return [
    ['ProtectSystem', 'strict'],
    ['ProtectHome', 'read-only'],
    ['ReadWritePaths', paths.join(' ')],
  ];
}

function writtenPaths({
  stateDirectory,
  restore,
  drill,
  locations,
  managedLocations,
}: UnitOptions['config']): string[] {
  const places = [...Object.values(locations).map(({ location }) => location), ...managedLocations];
  const paths = [
    stateDirectory,
    drill.directory,
    ...restore.directories,
    ...places.filter((place) => place.startsWith('/')),
  ];
  return [...new Set(paths)];
}

function section(title: string, settings: readonly Setting[]): string[] {
  return [`[${title}]`, ...settings.map(([name, value]) => `${name}=${value}`), ''];
}

/** As systemd reads words; `%` and `$` stand for other things there. */
function quoted(word: string): string {
  if (/[\n\r\0]/.test(word)) {
    throw new InvalidRequest('unit-path-invalid', 'Cannot write a systemd unit as a path has a line end in it');
  }
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@:./=,+%-]+$/.test(word) ? escaped : `"${escaped}"`;
}
