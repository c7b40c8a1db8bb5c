import { existsSync } from 'node:fs';
import { chmod, mkdir, open, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Unpacked {
  /** Where packages were unpacked. */
  readonly root: string;
  /** Where that will lie. */
  readonly final: string;
  /** The program without which the packages are of no use. */
  readonly main: string;
  /** Scripts that must be told where their server's files are, as `--basedir`. */
  readonly scripts?: readonly string[];
}

/**
 * Puts a script in the place of each program that runs it with the tree's own loader and libraries, so that it works on
 * any release of the system, and links all of them from `bin`. The scripts exec: process ids and signals are the program's.
 */
export async function wrapPrograms(unpacked: Unpacked): Promise<void> {
  const { root, main } = unpacked;
  const real = join(root, 'programs');
  await mkdir(real);
  await mkdir(join(root, 'bin'));
  for (const folder of ['usr/bin', 'usr/sbin']) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = join(root, folder, entry.name);
      const start = entry.isFile() ? wrapper(unpacked, { name: entry.name, isElf: await isElf(path) }) : undefined;
      if (start !== undefined) {
        await rename(path, join(real, entry.name));
        await writeFile(path, start);
        await chmod(path, 0o755);
      }
      await symlink(join('..', folder, entry.name), join(root, 'bin', entry.name));
    }
  }
  if (!existsSync(join(root, 'bin', main))) {
    throw new Error(`Cannot set up a database server as its packages hold no ${main}.`);
  }
}

function wrapper(
  { final, scripts = [] }: Unpacked,
  { name, isElf: isProgram }: { readonly name: string; readonly isElf: boolean },
): string | undefined {
  if (scripts.includes(name)) {
    return `#!/bin/sh\nexec /bin/sh ${final}/programs/${name} "$@" --basedir=${final}/usr\n`;
  }
  if (!isProgram) {
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
