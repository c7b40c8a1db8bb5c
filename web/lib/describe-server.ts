import type { StatusOf } from '../../src/api/resources.ts';
import { formatVersion } from './format.ts';

/** `MariaDB 10.11.14`: the server beside an agent, as far as anyone knows. */
export function describeServer({ state, server }: Pick<StatusOf<'Agent'>, 'state' | 'server'>): string {
  if (server === undefined) return state === 'Connected' ? 'no database server' : 'not known';
  const { vendor, version, isUp } = server;
  const name = vendor === undefined ? 'a database server' : `${vendor} ${formatVersion(version ?? '')}`.trim();
  return isUp ? name : `${name}, down`;
}
