import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Ownership } from './ownership.ts';
import { PermanentFailure } from '../lib/failure.ts';

/**
 * A drill's server runs as a user of its own: what holds its files must let that user pass. Found out before, as the server's
 * own failure would look like one of the backup.
 * @throws PermanentFailure `drill-directory-closed`
 */
export async function refuseUnreachable(directory: string, { uid, gid }: Ownership): Promise<void> {
  for (let path = directory; ; path = dirname(path)) {
    const found = await stat(path);
    const bit = found.uid === uid ? 0o100 : found.gid === gid ? 0o010 : 0o001;
    if ((found.mode & bit) === 0) throw closed({ directory, path, uid });
    if (path === dirname(path)) return;
  }
}

function closed({ directory, path, uid }: { directory: string; path: string; uid: number }): PermanentFailure {
  return new PermanentFailure(
    'drill-directory-closed',
    `Cannot run a drill in ${directory} as its server, which is user ${uid}, may not pass through ${path}`,
    {
      nextStep: `Let others pass (chmod o+x ${path}), or choose another directory for drills.`,
    },
  );
}
