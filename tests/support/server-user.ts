import { chmod } from 'node:fs/promises';
import { run } from '../../scripts/setup/run.ts';

/** Whom test servers run as: this user, or, as servers refuse to be root, an unprivileged one. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
  /** Arguments that make a server become this user. */
  readonly arguments: readonly string[];
  /** Gives this user a directory with all that is in it, and lets others look into the directory itself. */
  own(directory: string): Promise<void>;
}

/** The user `nobody` has this id on every Debian and Ubuntu. */
const NOBODY = 65534;

export function serverUser(): ServerUser {
  const [uid, gid] = [process.getuid?.() ?? NOBODY, process.getgid?.() ?? NOBODY];
  if (uid !== 0) {
    return { uid, gid, arguments: [], own: async () => undefined };
  }
  return {
    uid: NOBODY,
    gid: NOBODY,
    arguments: ['--user=nobody'],
    own: async (directory) => {
      await run('chown', ['-R', `${NOBODY}:${NOBODY}`, directory]);
      await chmod(directory, 0o755);
    },
  };
}
