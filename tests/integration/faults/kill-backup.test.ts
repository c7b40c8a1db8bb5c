import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ensureMariadb } from '../../../scripts/setup/mariadb.ts';
import type { Sealed } from '../../../src/repository/documents.ts';
import { type RunStep, runSteps } from '../../support/backup-runner.ts';
import { type Ending, toolOf } from '../../support/backup-worker.ts';
import { KillLab } from '../../support/kill-lab.ts';
import { randomSource } from '../../support/pieces.ts';
import { nextBackupId } from '../../support/repositories.ts';

const wanted = Number(process.env['HOLDFAST_KILLS'] ?? 60);
const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const { bin } = await ensureMariadb();

type Victim = 'tool' | 'process' | 'database';

/** The tool lives in the first three steps only; the rest of a backup does not need the database any more. */
const stepsOf: Readonly<Record<Victim, readonly RunStep[]>> = {
  tool: ['starting', 'copying', 'locked'],
  process: runSteps,
  database: runSteps,
};

/** Steps in which the tool waits for its own clock last longer; an instant behind this would be like many others. */
const longestMs = 400;

it.concurrent.each<Victim>(['tool', 'process', 'database'])(
  'backups whose %s is killed at any instant are sealed whole or not at all, and are taken up again',
  async (victim) => {
    await using run = await KillRun.start(victim);
    await run.measure();
    while (run.kills < wanted) await run.oneBackup();
    await run.prove(3);
    run.report();
  },
  180_000 + wanted * 5_000,
);

/** Kills one victim over and over, and looks after every kill at what is left. */
class KillRun implements AsyncDisposable {
  kills = 0;
  readonly #victim: Victim;
  readonly #lab: KillLab;
  readonly #random: () => number;
  readonly #counts = new Map<RunStep, number>();
  readonly #good: Sealed[] = [];
  /** How long each step lasts when nobody disturbs, milliseconds. */
  readonly #lengths = new Map<RunStep, number>();
  #tries = 0;
  #adoptions = 0;
  /** What earlier attempts had uploaded, and how much of it the last ones refer to. */
  readonly #uploaded = { before: 0, takenUp: 0 };

  private constructor(victim: Victim, lab: KillLab, random: () => number) {
    this.#victim = victim;
    this.#lab = lab;
    this.#random = random;
  }

  static async start(victim: Victim): Promise<KillRun> {
    const random = randomSource(seed + victim.length);
    return new KillRun(victim, await KillLab.start(bin, random), random);
  }

  async measure(): Promise<void> {
    const starts: { readonly step: RunStep; readonly at: number }[] = [];
    for (const backup of [nextBackupId(), nextBackupId()]) {
      starts.length = 0;
      const ending = await this.#lab.worker.run(this.#lab.order(backup, backup), (event) => {
        if (event.event === 'step') starts.push({ step: event.step, at: performance.now() });
      });
      if (ending.event !== 'sealed') throw new Error(`an undisturbed backup failed: ${JSON.stringify(ending)}`);
    }
    const ends = [...starts.slice(1).map(({ at }) => at), performance.now()];
    for (const [index, { step, at }] of starts.entries())
      this.#lengths.set(step, Math.min(longestMs, (ends[index] ?? at) - at));
  }

  /** One backup: a few attempts that are killed, then one that is not. */
  async oneBackup(): Promise<void> {
    const backup = nextBackupId();
    // Some compare themselves with an earlier backup, most have all to upload.
    const lineage = this.#random() < 0.3 ? 'lineage' : backup;
    const attempts = 2 + Math.floor(this.#random() * 4);
    for (let attempt = 0; attempt < attempts && this.kills < wanted; attempt += 1) {
      const steps = stepsOf[this.#victim];
      this.#tries += 1;
      const step = steps[this.#tries % steps.length] ?? 'copying';
      const afterMs = this.#random() * (this.#lengths.get(step) ?? 0);
      const { ending, there } = await this.#attempt(backup, lineage, { step, afterMs });
      const sealed = await this.#lab.sealed(backup);
      if (sealed) {
        await this.#found(sealed, there);
        return;
      }
      expect(ending.event).not.toBe('sealed');
    }
    const { ending, there } = await this.#attempt(backup, lineage, undefined);
    expect(ending, `seed ${seed}`).toMatchObject({ event: 'sealed' });
    const sealed = await this.#lab.sealed(backup);
    if (!sealed) throw new Error(`backup ${backup} is said to be sealed and is not, seed ${seed}`);
    await this.#found(sealed, there);
    expect(await this.#lab.leftoverFiles(), 'temporary files after a whole backup').toEqual([]);
  }

  /** @returns how it ended, and the segments that were there before. */
  async #attempt(
    backup: string,
    lineage: string,
    kill: { readonly step: RunStep; readonly afterMs: number } | undefined,
  ): Promise<{ readonly ending: Ending; readonly there: { readonly bytes: number } }> {
    const there = await this.#lab.segments(backup);
    await using _load = await this.#lab.load();
    let now: RunStep = 'starting';
    let killing: Promise<void> | undefined;
    const ending = await this.#lab.worker.run(this.#lab.order(backup, lineage), (event) => {
      if (event.event === 'adoptable') {
        expect(event.segments, `seed ${seed}`).toBe(there.count);
        if (there.count > 0) this.#adoptions += 1;
      }
      if (event.event !== 'step') return;
      now = event.step;
      if (kill?.step !== now || killing) return;
      killing = sleep(kill.afterMs).then(async () => this.#kill(() => now));
    });
    await killing;
    await this.#afterwards(ending);
    return { ending, there };
  }

  async #found(sealed: Sealed, there: { readonly bytes: number }): Promise<void> {
    this.#good.push(sealed);
    this.#uploaded.before += there.bytes;
    this.#uploaded.takenUp += await this.#lab.takenUp(sealed);
  }

  async #kill(step: () => RunStep): Promise<void> {
    const at = step();
    if (this.#victim === 'tool') {
      const tool = await this.#toolAt(step);
      // It has ended meanwhile: another instant must do.
      if (tool === undefined) return;
      process.kill(tool, 'SIGKILL');
    }
    if (this.#victim === 'process') this.#lab.worker.kill();
    if (this.#victim === 'database') await this.#lab.killDatabase();
    this.kills += 1;
    this.#counts.set(at, (this.#counts.get(at) ?? 0) + 1);
  }

  /** A tool that is about to start is waited for. */
  async #toolAt(step: () => RunStep): Promise<number | undefined> {
    for (;;) {
      const tool = await toolOf(this.#lab.worker.pid);
      if (tool !== undefined || step() !== 'starting') return tool;
      await sleep(1);
    }
  }

  async #afterwards(ending: Ending): Promise<void> {
    if (ending.event === 'died') {
      await this.#lab.killWorker();
      await this.#expectNoTools();
    }
    if (this.#victim === 'database') await this.#lab.restartDatabase();
  }

  /** Without its parent a tool has a moment to end. */
  async #expectNoTools(): Promise<void> {
    const deadline = performance.now() + 5_000;
    while ((await this.#lab.leftoverTools()).length > 0 && performance.now() < deadline) await sleep(10);
    expect(await this.#lab.leftoverTools(), `seed ${seed}`).toEqual([]);
  }

  /** Every backup that was ever called good still is; some of them are restored. */
  async prove(sample: number): Promise<void> {
    await this.#expectNoTools();
    for (const sealed of this.#good) expect(await this.#lab.damage(sealed), `seed ${seed}`).toEqual([]);
    for (let proven = 0; proven < sample; proven += 1) {
      const sealed = this.#good[Math.floor(this.#random() * this.#good.length)];
      expect(sealed && (await this.#lab.proof(sealed)), `seed ${seed}`).toBe('good');
    }
    expect(this.#adoptions).toBeGreaterThan(0);
    const { before, takenUp } = this.#uploaded;
    expect(takenUp, `of ${before} bytes that were uploaded before, seed ${seed}`).toBeGreaterThan(before / 4);
  }

  report(): void {
    const counts = [...this.#counts].map(([step, count]) => `${step} ${count}`).join(', ');
    process.stdout.write(
      `${this.#victim} killed ${this.kills} times, seed ${seed}: ${counts}; ${this.#good.length} backups sealed, ` +
        `${this.#adoptions} attempts took up segments; ${inMegabytes(this.#uploaded.takenUp)} of the ` +
        `${inMegabytes(this.#uploaded.before)} that were there are in use\n`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lab[Symbol.asyncDispose]();
  }
}

function inMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
