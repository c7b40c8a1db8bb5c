import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseServer } from './servers.ts';

/** -1 while there is no such table. */
export async function countOf(server: Pick<DatabaseServer, 'query'>, table: string): Promise<number> {
  const rows = await server.query(`SELECT COUNT(*) FROM ${table}`).catch(() => [['-1']]);
  return Number(rows[0]?.[0]);
}

/** Waits for a replica. */
export async function until(isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new Error('The replica did not catch up in time');
    await sleep(50);
  }
}
