import { join } from 'node:path';
import { cached } from './cache.ts';
import { thisDistribution, unpackPackages } from './debian.ts';
import { run, say } from './run.ts';
import { wrapPrograms } from './unpacked-programs.ts';

export interface MysqlTools {
  /** E.g. `9.7.4`. */
  readonly version: string;
  /** A folder for PATH: mysqld, mysql, mysqldump and their siblings. */
  readonly bin: string;
}

/** MySQL of Debian unstable (9.7 at the time of writing), whatever it holds that day; undefined where it cannot be had. */
export async function ensureMysql(): Promise<MysqlTools | undefined> {
  const { id } = await thisDistribution();
  if (id !== 'debian') {
    return undefined;
  }
  const folder = await cached('mysql-sid', async (into, final) => {
    say(`Fetching MySQL of sid into ${final}`);
    await unpackPackages({
      release: 'sid',
      wanted: ['mysql-server-core', 'mysql-client-core'],
      alone: [],
      unneeded: /perl|^(gcc-|libdb5|libgdbm|libbz2|libtirpc-common|openssl-provider|.*gconv)/,
      root: into,
    });
    await wrapPrograms({ root: into, final, main: 'mysqld' });
  });
  const bin = join(folder, 'bin');
  const printed = await run(join(bin, 'mysqld'), ['--no-defaults', '--version']);
  return { version: /Ver (\d+\.\d+\.\d+)/.exec(printed)?.[1] ?? printed.trim(), bin };
}
