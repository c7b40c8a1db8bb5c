import { chmod, chown, lchown, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentFailure } from '../lib/failure.ts';
import { hasCode, statIfThere } from './placement-files.ts';

/** Whom the files of a data directory belong to, and what their owner and group may do with them. */
export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  readonly directoryMode: number;
  readonly fileMode: number;
}

/** What servers give to new files where nothing tells: MariaDB and MySQL differ, and both can use this. */
const usualModes = { directoryMode: 0o750, fileMode: 0o640 };

/**
 * How the files of this data directory are owned: by the owner of the directory, with the modes of what a server made in
 * it. Undefined when there is no such directory.
 */
export async function ownershipOf(dataDirectory: string): Promise<Ownership | undefined> {
  const directory = await statIfThere(dataDirectory);
  if (directory === undefined) return undefined;
  const [file, inner] = [
    await statIfThere(join(dataDirectory, 'ibdata1')),
    await statIfThere(join(dataDirectory, 'mysql')),
  ];
  return {
    uid: Number(directory.uid),
    gid: Number(directory.gid),
    directoryMode: inner?.isDirectory() === true ? modeOf(inner) : usualModes.directoryMode,
    fileMode: file?.isFile() === true ? modeOf(file) : usualModes.fileMode,
  };
}

/** The files of a server that runs as this user, where there is no data directory to learn from. */
export function ownershipFor(user: { uid: number; gid: number }): Ownership {
  return { ...user, ...usualModes };
}

/**
 * Gives the directory and all below it to this owner, links themselves and not what they lead to. To be done before a
 * server is stopped, as it takes a while with many files.
 * @throws PermanentFailure `ownership-refused`
 */
export async function giveTo(directory: string, ownership: Ownership, options: { signal: AbortSignal }): Promise<void> {
  try {
    await giveOne(directory, 'directory', ownership);
    await giveBelow(directory, ownership, options.signal);
  } catch (error) {
    if (!hasCode(error, 'EPERM')) throw error;
    throw new PermanentFailure(
      'ownership-refused',
      `Cannot give ${directory} to user ${ownership.uid} as this process may not: it runs as user ${process.getuid?.() ?? 'unknown'}`,
      {
        cause: error,
        nextStep: 'Run the restore as root or as the user that the database server runs as.',
      },
    );
  }
}

async function giveBelow(directory: string, ownership: Ownership, signal: AbortSignal): Promise<void> {
  for await (const entry of await opendir(directory)) {
    signal.throwIfAborted();
    const path = join(directory, entry.name);
    if (entry.isSymbolicLink()) await lchown(path, ownership.uid, ownership.gid);
    else await giveOne(path, entry.isDirectory() ? 'directory' : 'file', ownership);
    if (entry.isDirectory()) await giveBelow(path, ownership, signal);
  }
}

async function giveOne(
  path: string,
  kind: 'directory' | 'file',
  { uid, gid, directoryMode, fileMode }: Ownership,
): Promise<void> {
  const { uid: currentUid, gid: currentGid } = await stat(path);
  if (currentUid !== uid || currentGid !== gid) await chown(path, uid, gid);
  await chmod(path, kind === 'directory' ? directoryMode : fileMode);
}

function modeOf(file: { readonly mode: number | bigint }): number {
  // Never for others, whatever the old data allowed.
  return Number(file.mode) & 0o770;
}
