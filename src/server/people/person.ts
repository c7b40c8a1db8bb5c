import type { Role } from '../../api/route-kit.ts';

/** Who asks: someone who signed in, or a program with a token. */
export interface Person {
  readonly name: string;
  readonly role: Role;
  readonly means: { readonly type: 'session'; readonly id: string } | { readonly type: 'token' };
}

const ranks: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

export function mayAct(as: Role, needed: Role): boolean {
  return ranks[as] >= ranks[needed];
}
