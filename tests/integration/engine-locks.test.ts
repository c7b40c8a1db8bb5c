import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BackupRun } from '../../src/engine/engine.ts';
import { makeMariadbBench, mariadbPrograms } from '../contract/engine-mariadb-bench.ts';
import type { EngineBench } from '../contract/engine.ts';
import { atBest } from '../support/at-best.ts';
import { fillStatistics, startCommitting } from '../support/commits.ts';
import { neverAborted as signal } from '../support/repositories.ts';

const limitMs = 1_500;
/** The tool waits for its own clock for up to a second, which counts only when the consumer has taken as long. */
const slackMs = 500;
/** Held up for so long, commits were not let go by the limit. */
const neverMs = limitMs + 5_000;

for (const which of ['10.11', 'newest'] as const) {
  const bin = await mariadbPrograms(which);
  describe(`mariadb-backup ${which}: a store that stalls while commits are blocked`, () => {
    let bench: EngineBench;
    let socket: string;
    beforeAll(async () => {
      if (bin === undefined) return undefined;
      const made = await makeMariadbBench(bin);
      [bench, socket] = [made, made.database.socket];
      await fillStatistics(socket);
      return () => made[Symbol.asyncDispose]();
    });
    beforeEach(({ skip }) => skip(bin === undefined, 'this distribution has no packages of the newest MariaDB'));

    function backUp(onLog: (line: string) => void = () => undefined): BackupRun {
      return bench.engine.backup(bench.server, { signal, onLog, lockedStallMs: limitMs });
    }

    /** @returns for how long commits waited, milliseconds */
    async function stalled(stallMs: number): Promise<number> {
      await using committers = await startCommitting(socket, 3);
      const enough = new AbortController();
      const blocking = Promise.withResolvers<void>();
      let commitsBlocked = false;
      const run = backUp((line) => {
        if (commitsBlocked || !/BACKUP STAGE BLOCK_COMMIT/.test(line)) return;
        commitsBlocked = true;
        // Only what the tool holds up from now on is its doing.
        committers.forget();
        blocking.resolve();
      });
      const reading = (async () => {
        for await (const batch of run.pieces)
          if (commitsBlocked && batch.length > 0)
            await sleep(stallMs, undefined, { signal: enough.signal }).catch(() => undefined);
      })();
      // The reader that sleeps for long learns of the end late; the server must not.
      reading.catch(() => undefined);
      await Promise.race([blocking.promise, reading]);
      const heldMs = await committers.held(limitMs * 0.8);
      enough.abort();
      await expect(reading).rejects.toMatchObject({ code: 'store-stalled-while-locked' });
      return heldMs;
    }

    it.each([
      ['takes nothing', 60_000],
      ['takes a little at a time', 100],
    ])('and %s holds them for no longer than the limit', async (_, stallMs) => {
      const enoughMs = limitMs + slackMs;
      expect(await atBest(enoughMs, () => stalled(stallMs), { neverMs })).toBeLessThan(enoughMs);
    });

    it('and a store that keeps up lets commits through in a moment', async () => {
      const longestMs = await atBest(limitMs, async () => {
        await using committers = await startCommitting(socket, 3);
        const batches = await Array.fromAsync(backUp().pieces, ({ length }) => length);
        expect(Math.max(...batches)).toBeGreaterThan(0);
        return committers.longestMs();
      });
      expect(longestMs).toBeLessThan(limitMs);
    });
  });
}
