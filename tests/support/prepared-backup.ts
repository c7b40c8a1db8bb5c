import { join } from 'node:path';
import { run } from '../../scripts/setup/run.ts';
import type { MariadbServer } from './servers.ts';

/** Makes a backup of the server with its own tool alone, and prepares it. */
export async function makePreparedBackup(server: MariadbServer, directory: string): Promise<void> {
  const tool = join(server.bin, 'mariadb-backup');
  await run(tool, [
    '--no-defaults',
    '--backup',
    '--user=root',
    `--socket=${server.socket}`,
    `--target-dir=${directory}`,
  ]);
  await run(tool, ['--no-defaults', '--prepare', `--target-dir=${directory}`]);
}
