import type { ReactNode } from 'react';
import type { Role } from '../../src/api/route-kit.ts';
import { useMay } from '../lib/may.ts';

/** Only for who has this role or a higher one: what the manager would refuse is not offered. */
export function May({ needs, children }: { readonly needs: Role; readonly children: ReactNode }) {
  return useMay(needs) ? children : null;
}
