import { readFile } from 'node:fs/promises';
import { type Ownership, ownershipFor } from '../core/ownership.ts';
import { InvalidRequest } from '../lib/failure.ts';

/** How files of this user of the host are owned. @throws InvalidRequest when there is no such user */
export async function ownershipOfUser(name: string): Promise<Ownership> {
  const found = await findUser(name);
  if (found) return ownershipFor(found);
  throw new InvalidRequest('no-such-user', `Cannot give files to ${name} as this host has no such user`);
}

/** The first of these users that the host has. */
export async function firstUser(names: readonly string[]): Promise<Ownership | undefined> {
  for (const name of names) {
    const found = await findUser(name);
    if (found) return ownershipFor(found);
  }
  return undefined;
}

async function findUser(name: string): Promise<{ uid: number; gid: number } | undefined> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const [, , uid, gid] = lines.find(([user]) => user === name) ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}
