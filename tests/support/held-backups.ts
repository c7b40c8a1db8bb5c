import { until } from './agents.ts';
import type { DatabaseServer } from './servers.ts';

const statement = 'INSERT INTO held.slow SELECT SLEEP(600)';

/**
 * Writes to a table without transactions until this is disposed of: MariaDB's backups wait for the end of that when they have
 * copied what has transactions.
 */
export async function holdBackups(server: Pick<DatabaseServer, 'query'>): Promise<AsyncDisposable> {
  await server.query('CREATE DATABASE IF NOT EXISTS held; CREATE TABLE IF NOT EXISTS held.slow (id INT) ENGINE=MyISAM');
  const writer = server.query(statement).catch(() => undefined);
  const writers = async (): Promise<string[][]> =>
    server.query(`SELECT id FROM information_schema.PROCESSLIST WHERE info = '${statement}'`);
  await until(async () => (await writers()).length > 0);
  return {
    [Symbol.asyncDispose]: async () => {
      for (const [id] of await writers()) await server.query(`KILL ${id}`);
      await writer;
    },
  };
}
