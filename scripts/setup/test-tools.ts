import { ensureMariadb, ensureMariadbSid } from './mariadb.ts';
import { ensureMysql, type MysqlTools } from './mysql.ts';
import { ensurePython } from './python.ts';
import { installSystemPackages } from './run.ts';
import { ensureSchemathesis } from './schemathesis.ts';
import { ensureVersitygw } from './versitygw.ts';

export interface TestTools {
  /** Folder of MariaDB 10.11's programs. */
  readonly mariadb: string;
  /** Folder of Debian unstable's MariaDB's programs; undefined where it cannot be had. */
  readonly mariadbSid: string | undefined;
  /** Debian unstable's MySQL; undefined where it cannot be had. */
  readonly mysql: MysqlTools | undefined;
  /** Path of the S3 server. */
  readonly versitygw: string;
  /** Path of a Python with `cryptography` and `zstandard`. */
  readonly python: string;
  /** Path of a Python with Schemathesis. */
  readonly schemathesis: string;
  /** What was found, for a person. */
  readonly summary: string;
}

/** Everything that contract and integration tests need; what is missing is fetched. */
export async function ensureTestTools(): Promise<TestTools> {
  const mariadb = await ensureMariadb();
  const sid = await ensureMariadbSid();
  const mysql = await ensureMysql();
  // For the scripts that complete the command line.
  await installSystemPackages(['zsh', 'fish']);
  return {
    mariadb: mariadb.bin,
    mariadbSid: sid?.bin,
    mysql,
    versitygw: await ensureVersitygw(),
    python: await ensurePython(),
    schemathesis: await ensureSchemathesis(),
    summary: `MariaDB ${mariadb.version} and ${sid?.version ?? 'no second one'}, MySQL ${mysql?.version ?? 'none'}`,
  };
}
