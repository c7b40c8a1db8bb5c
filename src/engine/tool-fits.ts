import type { EngineName, Finding, ServerFacts } from './engine.ts';
import { compareVersions, seriesOf, versionNumbers } from './versions.ts';

export interface ToolVersion {
  readonly name: EngineName;
  readonly version: string;
}

type Server = Pick<ServerFacts, 'vendor' | 'version'>;

/** Can this tool back up this server? One finding, `ok`, `warning` or `error`. */
export function toolFits(tool: ToolVersion, server: Server): Finding {
  const reason =
    tool.name === 'mariadb-backup' ? mariadbReason(tool.version, server) : xtrabackupReason(tool.version, server);
  const what = `${tool.name} ${tool.version}`;
  const where = `${server.vendor} ${server.version}`;
  if (reason === undefined) return { level: 'ok', code: 'tool-version', message: `${what} fits ${where}.` };
  return {
    level: reason.level,
    code: 'tool-version',
    message: `${what} ${reason.level === 'error' ? 'cannot back up' : 'may not be right for'} ${where}: ${reason.why}.`,
    nextStep: neededTool(server),
  };
}

/** Which tool a server needs, as a sentence. */
export function neededTool(server: Server): string {
  const series = seriesOf(server.version);
  if (server.vendor === 'MariaDB')
    return `Install mariadb-backup ${versionNumbers(server.version).join('.')} or a newer ${series}.`;
  if (series === '8.0') return 'Install Percona XtraBackup 8.0.35 (package percona-xtrabackup-80).';
  return `Install Percona XtraBackup ${series}.`;
}

interface Reason {
  readonly level: 'warning' | 'error';
  readonly why: string;
}

function error(why: string): Reason {
  return { level: 'error', why };
}

function mariadbReason(tool: string, server: Server): Reason | undefined {
  if (server.vendor !== 'MariaDB') return error('it reads the files of MariaDB only');
  if (seriesOf(tool) !== seriesOf(server.version)) return error("the tool must be of the server's own series");
  if (compareVersions(tool, server.version) < 0) return { level: 'warning', why: 'the tool is older than the server' };
  return undefined;
}

/** The rules of XtraBackup's release notes and version checks. */
function xtrabackupReason(tool: string, server: Server): Reason | undefined {
  if (server.vendor === 'MariaDB') return error('XtraBackup does not read the files of MariaDB');
  const [toolMajor] = versionNumbers(tool);
  if (toolMajor < 8) return error('XtraBackup before 8.0 is not supported by Holdfast');
  if (seriesOf(tool) !== seriesOf(server.version)) return error("the tool must be of the server's own series");
  // From 8.0.34 on the tool takes every 8.0; before, none newer than itself.
  const takesNewer = seriesOf(tool) !== '8.0' || compareVersions(tool, '8.0.34') >= 0;
  if (!takesNewer && compareVersions(tool, server.version) < 0) return error('the tool is older than the server');
  if (compareVersions(tool, '9.0.0') >= 0 && /-rc/i.test(tool))
    return { level: 'warning', why: 'the tool is a release candidate' };
  return undefined;
}
