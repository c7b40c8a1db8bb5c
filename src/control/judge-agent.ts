import type { Resource } from '../api/resources.ts';
import { judgeVersions, type ServerVersion } from '../core/version-rules.ts';
import type { Finding } from '../engine/engine.ts';

/** Can the files of a backup be used at an agent, and by the server beside it? Pure; the agent itself has the last word. */

/** @returns why the agent cannot restore the backup at all, or undefined */
export function whyNotAt(backup: Resource<'Backup'>, { name, status }: Resource<'Agent'>): string | undefined {
  if (status.state === 'NotTrusted') return `Agent ${name} is not the one that was enrolled, or refuses this manager.`;
  if (status.state !== 'Connected') return `Agent ${name} does not answer.`;
  if (status.managedLocations.length === 0)
    return `Agent ${name} takes no storage locations from a manager: its own file lists none.`;
  const engine = backup.status.result?.source.engine;
  const hasTool = engine === undefined || status.engines.some((each) => each.name === engine);
  return hasTool ? undefined : `There is no ${engine} on the host of agent ${name}, which took this backup.`;
}

/** By the rules of upgrade of the servers. */
export function judgeServer(
  backup: Resource<'Backup'>,
  server: { readonly vendor?: string | undefined; readonly version?: string | undefined },
): Finding {
  const source = backup.status.result?.source;
  const from = source && versionOf({ vendor: source.vendor, version: source.serverVersion });
  const to = versionOf(server);
  if (from !== undefined && to !== undefined) return judgeVersions(from, to);
  return {
    level: 'error',
    code: 'version-unknown',
    message: 'It cannot be told whether the server can open this backup, as its version is not known.',
    nextStep: 'Wait until its agent has told of it.',
  };
}

const vendors = ['MariaDB', 'MySQL', 'Percona Server'] as const;

function versionOf({
  vendor,
  version,
}: {
  readonly vendor?: string | undefined;
  readonly version?: string | undefined;
}): ServerVersion | undefined {
  const known = vendors.find((each) => each === vendor);
  return known === undefined || version === undefined ? undefined : { vendor: known, version };
}
