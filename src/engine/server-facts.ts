import { basename } from 'node:path';
import type { ServerConnection, ServerFacts, Vendor } from './engine.ts';
import { directoryBytes } from './directory-size.ts';
import { isSecret, withoutSecrets } from './secrets.ts';
import { Sql } from './sql.ts';

/** Asks the server what it is. Throws what `Sql.connect` throws. */
export async function readServerFacts(
  server: ServerConnection,
  options: { readonly signal: AbortSignal },
): Promise<ServerFacts> {
  await using sql = await Sql.connect(server, options);
  const variables = await readVariables(sql);
  const version = variables['version'] ?? '';
  const vendor = vendorOf(version, variables['version_comment'] ?? '');
  const dataDirectory = (variables['datadir'] ?? '').replace(/(?<=.)\/+$/, '');
  return {
    vendor,
    version,
    identity: identityOf(variables, dataDirectory),
    dataDirectory,
    gtid: gtidOf(vendor, variables),
    dataBytes: await directoryBytes(dataDirectory, { ...options, skip: notCopied(variables) }),
    variables: withoutSecretValues(variables),
    ...(vendor === 'MariaDB' ? {} : { tablespacesOutside: await readTablespacesOutside(sql) }),
  };
}

async function readVariables(sql: Sql): Promise<Readonly<Record<string, string>>> {
  const rows = await sql.query('SHOW GLOBAL VARIABLES');
  return Object.fromEntries(rows.map((row) => [row['Variable_name'] ?? '', row['Value'] ?? '']));
}

/** Undefined for a user who may not look, or an older release. */
async function readTablespacesOutside(sql: Sql): Promise<readonly string[] | undefined> {
  const rows = await sql
    .query(
      "SELECT PATH AS path FROM information_schema.INNODB_TABLESPACES_BRIEF WHERE PATH LIKE '/%' OR PATH LIKE '../%'",
    )
    .catch(() => undefined);
  return rows?.map(({ path }) => path ?? '');
}

export function vendorOf(version: string, comment: string): Vendor {
  if (/mariadb/i.test(version) || /mariadb/i.test(comment)) return 'MariaDB';
  return /percona/i.test(comment) ? 'Percona Server' : 'MySQL';
}

function identityOf(variables: Readonly<Record<string, string>>, dataDirectory: string): string {
  const uuid = variables['server_uuid'];
  if (uuid) return uuid;
  // MariaDB derives server_uid from the network card and the port, so two directories of one host could share it.
  return [variables['server_uid'], variables['server_id'], dataDirectory].filter(Boolean).join(':');
}

function gtidOf(vendor: Vendor, variables: Readonly<Record<string, string>>): string {
  const gtid = vendor === 'MariaDB' ? variables['gtid_current_pos'] : variables['gtid_executed'];
  return (gtid ?? '').replaceAll(/\s+/g, '');
}

/** What no tool copies from a data directory: logs but the redo that is written meanwhile, and temporary files. */
function notCopied(variables: Readonly<Record<string, string>>): (name: string) => boolean {
  const logs = [variables['log_bin_basename'], variables['relay_log_basename'], variables['relay_log']];
  const prefixes = logs.flatMap((path) => (path ? [`${basename(path)}.`] : []));
  return (name) => neverCopied.test(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

const neverCopied = /^(ib_logfile\d+|ibtmp\d+|#innodb_(redo|temp)|.*\.(pid|err|sock|dblwr))$/;

/** Texts may hold secrets, too: a URL with a password, the options of another program. */
function withoutSecretValues(variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const shown = (name: string, value: string): string => (isSecret(name, value) ? '***' : withoutSecrets(value));
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, shown(name, value)]));
}
