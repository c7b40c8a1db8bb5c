import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';

/** Connections that commit one row after the other, and measure how long each commit takes. */
export interface Committers extends AsyncDisposable {
  /** The longest that a commit took so far, one still waiting included, milliseconds. */
  longestMs(): number;
  /** Measures anew: what took long before this instant does not count. */
  forget(): void;
  /**
   * Waits until commits were held up for at least so long and go through again. @returns how long the longest took; throws
   * when it is not over after half a minute
   */
  held(leastMs: number): Promise<number>;
}

const HOLD_LIMIT_MS = 30_000;

/** Starts `count` of them on a table of their own. */
export async function startCommitting(socketPath: string, count: number): Promise<Committers> {
  const pending = new Map<number, number>();
  let [stopped, longest] = [false, 0];
  const first = await createConnection({ socketPath, user: 'root' });
  await first.query('CREATE DATABASE IF NOT EXISTS commits');
  await first.query('CREATE TABLE IF NOT EXISTS commits.rows (id INT PRIMARY KEY AUTO_INCREMENT)');
  first.destroy();
  const commit = async (writer: number): Promise<void> => {
    const connection = await createConnection({ socketPath, user: 'root', database: 'commits' });
    while (!stopped) {
      const before = performance.now();
      pending.set(writer, before);
      await connection.query('INSERT INTO `rows` VALUES ()');
      longest = Math.max(longest, performance.now() - (pending.get(writer) ?? before));
      pending.delete(writer);
      await sleep(5);
    }
    connection.destroy();
  };
  const committing = Promise.all(Array.from({ length: count }, (_, writer) => commit(writer)));
  const longestMs = (): number =>
    Math.max(longest, ...[...pending.values()].map((before) => performance.now() - before));
  return {
    longestMs,
    forget: () => {
      longest = 0;
      for (const writer of pending.keys()) pending.set(writer, performance.now());
    },
    held: async (leastMs) => {
      const deadline = performance.now() + HOLD_LIMIT_MS;
      // A commit that still waits is in the longest, but not in those that went through.
      while (longest < leastMs || longest < longestMs()) {
        if (performance.now() > deadline) throw new Error(`Commits are still held up, or were not: ${longestMs()} ms`);
        await sleep(20);
      }
      return longest;
    },
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      await committing;
    },
  };
}

/** The statistics tables are copied while commits wait: 30 MB of them do not fit into any pipe or buffer. */
export async function fillStatistics(socketPath: string): Promise<void> {
  const connection = await createConnection({ socketPath, user: 'root', database: 'mysql' });
  const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(250));
  for (let part = 0; part < 8; part += 1) {
    const rows = Array.from({ length: 5_000 }, (_, row) => ['app', `t${part}_${row}`, 'c', ...texts]);
    const columns = 'db_name, table_name, column_name, min_value, max_value, histogram';
    await connection.query(`INSERT INTO column_stats (${columns}) VALUES ?`, [rows]);
  }
  connection.destroy();
}
