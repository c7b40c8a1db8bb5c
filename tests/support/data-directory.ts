import { mkdir } from 'node:fs/promises';
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
    await run(join(bin, 'mariadb-install-db'), [
      '--no-defaults',
      `--datadir=${join(building, 'data')}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--skip-name-resolve',
      '--innodb-log-file-size=16M',
    ]);
  });
  await mkdir(dirname(into), { recursive: true });
  await run('cp', ['-a', '--reflink=auto', join(template, 'data'), into]);
  await user.own(into);
  return into;
}
