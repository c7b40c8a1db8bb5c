import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Vendor } from '../engine/engine.ts';
import { PermanentFailure } from '../lib/failure.ts';

/** Names of server programs, the vendor's own first. */
const programs: Readonly<Record<Vendor, readonly string[]>> = {
  MariaDB: ['mariadbd', 'mysqld'],
  MySQL: ['mysqld'],
  'Percona Server': ['mysqld'],
};

/**
 * The server program of a vendor on a PATH, or where packages put servers.
 * @param naming how a person names it, for the next step
 * @throws PermanentFailure `server-program-missing`
 */
export async function findServerProgram(
  vendor: Vendor,
  { path, naming }: { readonly path: string; readonly naming: string },
): Promise<string> {
  const folders = [...path.split(delimiter), '/usr/sbin', '/usr/libexec', '/usr/local/sbin'];
  for (const folder of folders.filter((each) => isAbsolute(each))) {
    for (const name of programs[vendor]) {
      const program = join(folder, name);
      if (await isProgram(program)) return program;
    }
  }
  throw new PermanentFailure(
    'server-program-missing',
    `Cannot start a server for the drill as there is none of ${vendor} on this host`,
    { nextStep: `Install the server's package, or name its program ${naming}.` },
  );
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
