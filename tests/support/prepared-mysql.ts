import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../scripts/setup/run.ts';
import type { DatabaseServer } from './servers.ts';

/** What xtrabackup does not copy, or not leave in a directory that it prepared. */
const notCopied = /^(auto\.cnf|mysqld-auto\.cnf|mysql_upgrade_history|.*\.pem|#innodb_temp|#ib_.*dblwr|ibtmp\d+)$/;

/**
 * Stops the server in order and copies its files to where xtrabackup would have left them in a directory that it prepared:
 * undo logs and redo log at the top, each tablespace from elsewhere under its name, and `xtrabackup_tablespaces`, which tells
 * where these were. No xtrabackup for this server is to be had for the tests; what was stopped in order is as consistent.
 */
export async function makePreparedMysql(server: DatabaseServer, into: string): Promise<void> {
  const apart = await directoriesOf(server);
  const tablespaces = await server.query(
    "SELECT FILE_NAME, TABLESPACE_NAME FROM information_schema.FILES WHERE FILE_TYPE = 'TABLESPACE' AND FILE_NAME LIKE '/%'",
  );
  await server.stop();
  await mkdir(into);
  for (const directory of [server.dataDirectory, ...apart])
    for (const name of await readdir(directory))
      if (!notCopied.test(name)) await copy(join(directory, name), join(into, name));
  for (const [path = '', space = ''] of tablespaces) {
    await mkdir(join(into, dirname(space)), { recursive: true });
    await copy(path, join(into, `${space}.ibd`));
  }
  const listed = tablespaces.map(([path, space]) => ({
    file_name: path,
    tablespace_name: space,
    tablespace_type: 'TABLESPACE',
  }));
  await writeFile(join(into, 'xtrabackup_tablespaces'), JSON.stringify({ version: 2, external_tablespaces: listed }));
}

/** Of the undo logs and the redo log, where these are not in the data directory. */
async function directoriesOf(server: DatabaseServer): Promise<string[]> {
  const [row = []] = await server.query('SELECT @@innodb_undo_directory, @@innodb_log_group_home_dir');
  return row.filter((path) => path.startsWith('/'));
}

async function copy(from: string, to: string): Promise<void> {
  await run('cp', ['-a', '--reflink=auto', from, to]);
}
