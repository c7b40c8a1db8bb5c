import { join } from 'node:path';
import { cached } from './cache.ts';
import { thisDistribution, unpackPackages } from './debian.ts';
import { run, say } from './run.ts';
import { wrapPrograms } from './unpacked-programs.ts';

export interface MariadbTools {
  /** As the server prints it, e.g. `10.11.18-MariaDB`. */
  readonly version: string;
  /** A folder for PATH: mariadbd, mariadb-backup, mbstream, mariadb, mariadb-install-db and their siblings. */
  readonly bin: string;
}

/** MariaDB 10.11, as Debian 12 has it; on Ubuntu whatever the release has. */
export async function ensureMariadb(): Promise<MariadbTools> {
  const { id, codename } = await thisDistribution();
  return ensureRelease('mariadb-10.11', id === 'debian' ? 'bookworm' : codename);
}

/** MariaDB of Debian unstable (11.8 at the time of writing), whatever it holds that day; undefined where it cannot be had. */
export async function ensureMariadbSid(): Promise<MariadbTools | undefined> {
  const { id } = await thisDistribution();
  return id === 'debian' ? ensureRelease('mariadb-sid', 'sid') : undefined;
}

async function ensureRelease(name: string, release: string): Promise<MariadbTools> {
  const folder = await cached(name, async (into, final) => {
    say(`Fetching MariaDB of ${release} into ${final}`);
    await unpackPackages({
      release,
      wanted: ['mariadb-server-core', 'mariadb-backup', 'mariadb-client'],
      // Only for its plug-ins: what it depends on is for running it as a service.
      alone: ['mariadb-server'],
      unneeded: /perl|^(gcc-|debianutils|tar$|dpkg$|libdb5|libgdbm|openssl-provider|.*gconv)/,
      root: into,
    });
    await wrapPrograms({ root: into, final, main: 'mariadbd', scripts: ['mariadb-install-db'] });
  });
  const bin = join(folder, 'bin');
  const printed = await run(join(bin, 'mariadbd'), ['--version']);
  return { version: /Ver (\S+)/.exec(printed)?.[1] ?? printed.trim(), bin };
}
