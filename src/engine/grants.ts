import type { Finding } from './engine.ts';
import type { Sql } from './sql.ts';

/** What a user may do, as far as backups care. */
export interface Grants {
  /** In capitals: `RELOAD`, `BACKUP_ADMIN`, `ALL PRIVILEGES`. */
  readonly global: ReadonlySet<string>;
  /** Privileges by object as the server writes it, without quotes: `performance_schema.log_status`. */
  readonly objects: ReadonlyMap<string, ReadonlySet<string>>;
  /** Roles that the user may take on; they count only when they are active at login. */
  readonly roles: readonly string[];
  /** As a GRANT statement names it: `'bk'@'localhost'`. */
  readonly account: string;
}

export interface NeededPrivilege {
  readonly privilege: string;
  /** `*.*` unless told. */
  readonly on?: string;
  /** Others that include it. */
  readonly or?: readonly string[];
}

/** Asks for the grants of the user who is logged in, those of the active roles included. */
export async function readGrants(sql: Sql): Promise<Grants> {
  const account = await sql.value('SELECT CURRENT_USER()');
  const roles = await activeRoles(sql);
  const statement = roles === '' ? 'SHOW GRANTS' : `SHOW GRANTS FOR CURRENT_USER() USING ${roles}`;
  const rows = await sql.query(statement);
  return parseGrants(
    rows.map((row) => Object.values(row)[0] ?? ''),
    quoteAccount(account),
  );
}

/** MySQL's SHOW GRANTS expands roles only when they are named; MariaDB's expands the active one by itself. */
async function activeRoles(sql: Sql): Promise<string> {
  if (/mariadb/i.test(await sql.value('SELECT VERSION()'))) return '';
  const roles = await sql.value('SELECT CURRENT_ROLE()');
  return roles === 'NONE' ? '' : roles;
}

export function parseGrants(lines: readonly string[], account: string): Grants {
  const global = new Set<string>();
  const objects = new Map<string, Set<string>>();
  const roles: string[] = [];
  for (const line of lines) {
    const grant = /^GRANT (.+?) ON (\S+) TO /.exec(line);
    const role = /^GRANT ([`'"].+[`'"]) TO /.exec(line);
    if (grant) addPrivileges(grant[1] ?? '', targetSet(grant[2] ?? '', global, objects));
    else if (role) roles.push((role[1] ?? '').replaceAll(/[`'"]/g, ''));
  }
  return { global, objects, roles, account };
}

function targetSet(target: string, global: Set<string>, objects: Map<string, Set<string>>): Set<string> {
  const name = target.replaceAll(/[`'"]/g, '');
  if (name === '*.*') return global;
  const known = objects.get(name) ?? new Set();
  objects.set(name, known);
  return known;
}

function addPrivileges(list: string, into: Set<string>): void {
  for (const privilege of list.split(',')) into.add(privilege.trim().toUpperCase());
}

/** One finding for all that is missing, with the statements that would grant it; or one that says all is there. */
export function privilegeFinding(grants: Grants, needed: readonly NeededPrivilege[]): Finding {
  const missing = needed.filter((each) => !isGranted(grants, each));
  if (missing.length === 0) {
    return {
      level: 'ok',
      code: 'privileges',
      message: `The database user ${grants.account} has the privileges that a backup needs.`,
    };
  }
  const names = missing.map(({ privilege, on = '*.*' }) => `${privilege} on ${on}`).join(', ');
  const inRole =
    grants.roles.length === 0
      ? ''
      : ` A role counts only when it is the user's default role: ${grants.roles.join(', ')}.`;
  return {
    level: 'error',
    code: 'missing-privilege',
    message: `The database user ${grants.account} lacks privileges that a backup needs: ${names}.${inRole}`,
    nextStep: `Run ${grantStatements(missing, grants.account)}`,
  };
}

function isGranted(grants: Grants, { privilege, on = '*.*', or = [] }: NeededPrivilege): boolean {
  const database = `${on.split('.')[0]}.*`;
  const held = [grants.global, grants.objects.get(on), grants.objects.get(database)];
  return held.some(
    (set) => set !== undefined && [privilege, 'ALL PRIVILEGES', 'ALL', ...or].some((name) => set.has(name)),
  );
}

function grantStatements(missing: readonly NeededPrivilege[], account: string): string {
  const byTarget = Map.groupBy(missing, ({ on = '*.*' }) => on);
  return [...byTarget]
    .map(([on, list]) => `GRANT ${list.map((each) => each.privilege).join(', ')} ON ${on} TO ${account};`)
    .join(' ');
}

function quoteAccount(account: string): string {
  const at = account.lastIndexOf('@');
  return `'${account.slice(0, at)}'@'${account.slice(at + 1)}'`;
}
