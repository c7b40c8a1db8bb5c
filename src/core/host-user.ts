import { readFile } from 'node:fs/promises';
import { type Ownership, ownershipFor } from './ownership.ts';

/** How files of this user of the host are owned; undefined when there is no such user. */
export async function ownershipOfUser(name: string): Promise<Ownership | undefined> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const [, , uid, gid] = lines.find(([user]) => user === name) ?? [];
  return uid === undefined || gid === undefined ? undefined : ownershipFor({ uid: Number(uid), gid: Number(gid) });
}

/** Whom a drill's server runs as where nobody says: the user that packages make, or one without rights. */
export async function ownershipOfServers(): Promise<Ownership | undefined> {
  return (await ownershipOfUser('mysql')) ?? ownershipOfUser('nobody');
}
