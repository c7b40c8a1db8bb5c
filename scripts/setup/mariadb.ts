import { existsSync } from 'node:fs';
import { chmod, mkdir, open, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { thisDistribution, unpackPackages } from './debian.ts';
import { run, say } from './run.ts';

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
    await wrapPrograms(into, final);
  });
  const bin = join(folder, 'bin');
  const printed = await run(join(bin, 'mariadbd'), ['--version']);
  return { version: /Ver (\S+)/.exec(printed)?.[1] ?? printed.trim(), bin };
}

/**
 * Puts a script in the place of each program that runs it with the tree's own loader and libraries, so that it works on
 * any release of the system, and links all of them from `bin`. The scripts exec: process ids and signals are the program's.
 */
async function wrapPrograms(root: string, final: string): Promise<void> {
  const real = join(root, 'programs');
  await mkdir(real);
  await mkdir(join(root, 'bin'));
  for (const folder of ['usr/bin', 'usr/sbin']) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = join(root, folder, entry.name);
      const start = entry.isFile() ? wrapper({ final, name: entry.name, isElf: await isElf(path) }) : undefined;
      if (start !== undefined) {
        await rename(path, join(real, entry.name));
        await writeFile(path, start);
        await chmod(path, 0o755);
      }
      await symlink(join('..', folder, entry.name), join(root, 'bin', entry.name));
    }
  }
  if (!existsSync(join(root, 'bin/mariadbd'))) {
    throw new Error('Cannot set up MariaDB as its packages hold no mariadbd.');
  }
}

function wrapper(program: { final: string; name: string; isElf: boolean }): string | undefined {
  const { final, name } = program;
  if (name === 'mariadb-install-db') {
    return `#!/bin/sh\nexec /bin/sh ${final}/programs/${name} "$@" --basedir=${final}/usr\n`;
  }
  if (!program.isElf) {
    return undefined;
  }
  const { triple, loader } = machine();
  return [
    '#!/bin/sh',
    // The server looks for its messages, character sets and plug-ins below this directory.
    `export MY_BASEDIR_VERSION=${final}/usr`,
    `libraries=${final}/usr/lib/${triple}:${final}/lib/${triple}`,
    `for loader in ${final}/usr/lib/${triple}/${loader} ${final}/lib/${triple}/${loader}; do`,
    '  [ -e "$loader" ] && break',
    'done',
    `exec "$loader" --library-path "$libraries" --argv0 "$0" ${final}/programs/${name} "$@"`,
    '',
  ].join('\n');
}

function machine(): { triple: string; loader: string } {
  return process.arch === 'arm64'
    ? { triple: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' }
    : { triple: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' };
}

async function isElf(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
  return buffer.toString('latin1') === '\x7fELF';
}
