import type { StatusOf } from '../../src/api/resources.ts';
import { formatVersion } from './format.ts';

/** `MariaDB 10.11.14`; what it is as far as anyone knows. */
export function describeServer(server: StatusOf<'Agent'>['server']): string {
  if (server === undefined) return 'no database server';
  const { vendor, version, isUp } = server;
  const name = vendor === undefined ? 'a database server' : `${vendor} ${formatVersion(version ?? '')}`.trim();
  return isUp ? name : `${name}, down`;
}
