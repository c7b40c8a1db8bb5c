import { ownershipOfUser } from '../core/host-user.ts';
import type { Ownership } from '../core/ownership.ts';
import { InvalidRequest } from '../lib/failure.ts';

/** How files of the user that `--owner` names are owned. @throws InvalidRequest when there is no such user */
export async function ownershipOfOwner(name: string): Promise<Ownership> {
  const ownership = await ownershipOfUser(name);
  if (ownership) return ownership;
  throw new InvalidRequest('no-such-user', `Cannot give files to ${name} as this host has no such user`);
}
