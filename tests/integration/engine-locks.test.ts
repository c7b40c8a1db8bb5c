import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeMariadbBench, mariadbPrograms } from '../contract/engine-mariadb-bench.ts';
import type { EngineBench } from '../contract/engine.ts';

const limitMs = 1_500;
/** For the tool to be killed, the server to notice and the writer to be scheduled on a busy machine. */
const slackMs = 1_000;

for (const which of ['10.11', 'newest'] as const) {
  const bin = await mariadbPrograms(which);
  describe.skipIf(bin === undefined)(`mariadb-backup ${which}: a store that stalls while commits are blocked`, () => {
    let bench: EngineBench;
    beforeAll(async () => {
      const made = await makeMariadbBench(bin ?? '');
      bench = made;
      await made.database.query('CREATE TABLE app.commits (id INT PRIMARY KEY AUTO_INCREMENT)');
      await fillStatistics(made.database.socket);
      return () => made[Symbol.asyncDispose]();
    });

    it.each([
      ['takes nothing', () => sleep(4_000)],
      ['takes a little at a time', () => sleep(100)],
    ])('and %s holds them for no longer than the limit', async (_, stall) => {
      await using writers = startWriters(bench, 3);
      let commitsBlocked = false;
      const onLog = (line: string): void => {
        if (/BACKUP STAGE BLOCK_COMMIT/.test(line)) commitsBlocked = true;
      };
      const run = bench.engine.backup(bench.server, {
        signal: new AbortController().signal,
        onLog,
        lockedStallMs: limitMs,
      });
      const reading = (async () => {
        for await (const batch of run.pieces) if (commitsBlocked && batch.length > 0) await stall();
      })();
      // The reader that sleeps for long learns of the end late; the server must not.
      reading.catch(() => undefined);
      await waitUntil(() => commitsBlocked);
      await sleep(limitMs + slackMs);
      const { longestMs, sinceLastMs } = writers.waits();
      expect(longestMs).toBeGreaterThan(limitMs * 0.8);
      expect(longestMs).toBeLessThan(limitMs + slackMs);
      expect(sinceLastMs).toBeLessThan(500);
      await expect(Promise.race([reading, sleep(10_000)])).rejects.toMatchObject({
        code: 'store-stalled-while-locked',
      });
    });

    it('and a store that keeps up lets commits through in a moment', async () => {
      await using writers = startWriters(bench, 3);
      const run = bench.engine.backup(bench.server, {
        signal: new AbortController().signal,
        onLog: () => undefined,
        lockedStallMs: limitMs,
      });
      let batches = 0;
      for await (const batch of run.pieces) batches += batch.length;
      expect(batches).toBeGreaterThan(0);
      expect(writers.waits().longestMs).toBeLessThan(limitMs);
    });
  });
}

/** The statistics tables are copied while commits wait: 30 MB of them do not fit into any pipe. */
async function fillStatistics(socketPath: string): Promise<void> {
  const connection = await createConnection({ socketPath, user: 'root', database: 'mysql' });
  const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(250));
  for (let part = 0; part < 8; part += 1) {
    const rows = Array.from({ length: 5_000 }, (_, row) => ['app', `t${part}_${row}`, 'c', ...texts]);
    const columns = 'db_name, table_name, column_name, min_value, max_value, histogram';
    await connection.query(`INSERT INTO column_stats (${columns}) VALUES ?`, [rows]);
  }
  connection.destroy();
}

interface Writers extends AsyncDisposable {
  /** The longest that a commit took so far, one still waiting included; and how long ago the last one went through. */
  waits(): { readonly longestMs: number; readonly sinceLastMs: number };
}

/** Connections that commit one row after the other. */
function startWriters(bench: EngineBench, count: number): Writers {
  const pending = new Map<number, number>();
  let [stopped, longest, last] = [false, 0, performance.now()];
  const write = async (writer: number): Promise<void> => {
    const connection = await createConnection({ socketPath: bench.server.socket ?? '', user: 'root' });
    while (!stopped) {
      const before = performance.now();
      pending.set(writer, before);
      await connection.query('INSERT INTO app.commits VALUES ()');
      pending.delete(writer);
      last = performance.now();
      longest = Math.max(longest, last - before);
      await sleep(5);
    }
    connection.destroy();
  };
  const writing = Promise.all(Array.from({ length: count }, (_, writer) => write(writer)));
  return {
    waits: () => {
      const now = performance.now();
      const waiting = [...pending.values()].map((before) => now - before);
      return { longestMs: Math.max(longest, ...waiting), sinceLastMs: now - last };
    },
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      await writing;
    },
  };
}

async function waitUntil(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1_000 && !condition(); tries += 1) await sleep(20);
  expect(condition()).toBe(true);
}
