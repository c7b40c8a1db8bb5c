import { useQuery } from '@tanstack/react-query';
import type { Role } from '../../src/api/route-kit.ts';
import { asking } from './api.ts';

const ranks: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/** May who is signed in do what needs this role? The manager decides; this keeps pages from offering what it would refuse. */
export function useMay(role: Role): boolean {
  const { data: user } = useQuery(asking('getSession', {}));
  return user !== undefined && ranks[user.role] >= ranks[role];
}
