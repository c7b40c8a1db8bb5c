import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cached } from '../../scripts/setup/cache.ts';
import { run } from '../../scripts/setup/run.ts';
import type { ServerUser } from './server-user.ts';

/**
 * Makes a new server's data directory at `into` and returns it. Copied from a template in the cache, as initialising one
 * takes seconds and tests need dozens.
 */
export async function newDataDirectory(options: {
  readonly bin: string;
  readonly into: string;
  readonly user: ServerUser;
}): Promise<string> {
  const { bin, into, user } = options;
  const template = await cached(`template-${basename(dirname(bin))}`, async (building) => {
    const data = join(building, 'data');
    await (existsSync(join(bin, 'mariadbd')) ? initialiseMariadb(bin, data) : initialiseMysql(bin, data));
  });
  await mkdir(dirname(into), { recursive: true });
  await run('cp', ['-a', '--reflink=auto', join(template, 'data'), into]);
  await user.own(into);
  return into;
}

async function initialiseMariadb(bin: string, data: string): Promise<void> {
  await run(join(bin, 'mariadb-install-db'), [
    '--no-defaults',
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--skip-name-resolve',
    '--innodb-log-file-size=16M',
  ]);
}

async function initialiseMysql(bin: string, data: string): Promise<void> {
  await run(join(bin, 'mysqld'), [
    '--no-defaults',
    // The copies get their owner when they are made.
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    `--datadir=${data}`,
    '--initialize-insecure',
    '--secure-file-priv=NULL',
    '--auto-generate-certs=OFF',
    '--caching-sha2-password-auto-generate-rsa-keys=OFF',
    '--innodb-redo-log-capacity=16M',
  ]);
  // Every copy is a server of its own.
  await rm(join(data, 'auto.cnf'));
}
