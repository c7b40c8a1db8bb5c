import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { ensureMariadb } from '../../../scripts/setup/mariadb.ts';
import type { JobOf } from '../../../src/api/jobs.ts';
import type { Sealed } from '../../../src/repository/documents.ts';
import { type BackupStep, backupSteps, toolOf } from '../../support/agent-worker.ts';
import { KillLab } from '../../support/kill-lab.ts';
import { randomSource } from '../../support/pieces.ts';
import { neverAborted as signal, nextBackupId } from '../../support/repositories.ts';

const wanted = Number(process.env['HOLDFAST_KILLS'] ?? 60);
const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const { bin } = await ensureMariadb();

type Victim = 'tool' | 'agent' | 'database';

/** The tool lives in three steps only; the rest of a backup does not need the database any more. */
const stepsOf: Readonly<Record<Victim, readonly BackupStep[]>> = {
  tool: ['starting', 'copying', 'locked'],
  agent: backupSteps,
  database: backupSteps,
};

/** Steps in which the tool waits for its own clock last longer; an instant behind this would be like many others. */
const longestMs = 400;
/** How often an agent is asked while the step to be killed in may begin, and while nothing depends on it. */
const [watchfulMs, patientMs] = [8, 40];
/** On one of so many restored backups a server is started, too. */
const serverOnEvery = 5;
/** Where a repository holds so many, the next one goes on: each attempt looks at all that are there. */
const backupsEach = 80;
/** A long run tells now and then how far it is. */
const tellEvery = 250;

it.concurrent.each<Victim>(['tool', 'agent', 'database'])(
  'backups whose %s is killed at any instant are sealed whole or not at all, and are taken up again',
  async (victim) => {
    await using run = await KillRun.start(victim);
    try {
      await run.measure();
      while (run.kills < wanted) await run.oneBackup();
      await run.prove();
    } catch (error) {
      // The others may go on for hours before vitest tells.
      process.stdout.write(`the run that kills the ${victim} failed: ${inspect(error)}\n`);
      throw error;
    } finally {
      run.report();
    }
  },
  300_000 + wanted * 20_000,
);

interface Kill {
  readonly step: BackupStep;
  readonly afterMs: number;
}

/** An attempt that was made: its job, and how many bytes of segments were there before. */
interface Made {
  readonly job: JobOf<'backup'>;
  readonly before: number;
}

/** Kills one victim over and over, and looks after every kill at what is left. */
class KillRun implements AsyncDisposable {
  kills = 0;
  readonly #victim: Victim;
  readonly #newLab: () => Promise<KillLab>;
  readonly #random: () => number;
  readonly #counts = new Map<BackupStep, number>();
  #lab: KillLab;
  #good: Sealed[] = [];
  /** Proven, in the repositories before this one. */
  #goodBefore = 0;
  /** How long each step lasts when nobody disturbs, milliseconds. */
  readonly #lengths = new Map<BackupStep, number>();
  #tries = 0;
  #adoptions = 0;
  /** Restored backups on which a server said that they are of one moment. */
  #started = 0;
  /** Jobs of which a new agent said that the one before was killed. */
  #restarted = 0;
  /** What earlier attempts had uploaded, and how much of it the last ones refer to. */
  readonly #uploaded = { before: 0, takenUp: 0 };

  private constructor(victim: Victim, { lab, newLab }: { lab: KillLab; newLab: () => Promise<KillLab> }) {
    this.#victim = victim;
    [this.#lab, this.#newLab] = [lab, newLab];
    this.#random = randomSource(seed - victim.length);
  }

  static async start(victim: Victim): Promise<KillRun> {
    // The load draws as often as time allows: from a source of its own, so that the kills are those of the seed.
    const load = randomSource(seed + victim.length);
    const newLab = async (): Promise<KillLab> => KillLab.start({ bin, random: load });
    return new KillRun(victim, { lab: await newLab(), newLab });
  }

  /** With another repository and another server. */
  async #goOnElsewhere(): Promise<void> {
    await this.prove();
    await this.#lab[Symbol.asyncDispose]();
    this.#lab = await this.#newLab();
    this.#goodBefore += this.#good.length;
    this.#good = [];
  }

  async measure(): Promise<void> {
    const starts: { readonly step: BackupStep; readonly at: number }[] = [];
    for (const backup of [nextBackupId(), nextBackupId()]) {
      starts.length = 0;
      await this.#lab.adoptLineage(backup);
      const job = await this.#lab.worker.attempt(
        { backup, attempt: 1 },
        { onStep: (step) => starts.push({ step, at: performance.now() }), pollMs: () => watchfulMs },
      );
      if (job?.state !== 'Succeeded') throw new Error(`an undisturbed backup failed: ${JSON.stringify(job)}`);
    }
    const ends = [...starts.slice(1).map(({ at }) => at), performance.now()];
    for (const [index, { step, at }] of starts.entries())
      this.#lengths.set(step, Math.min(longestMs, (ends[index] ?? at) - at));
    expect([...this.#lengths.keys()]).toEqual(backupSteps);
  }

  /** One backup: a few attempts that are killed, then one that is not. */
  async oneBackup(): Promise<void> {
    if (this.#good.length >= backupsEach) await this.#goOnElsewhere();
    const backup = nextBackupId();
    // Some compare themselves with an earlier backup, most have all to upload.
    const lineage = this.#random() < 0.3 ? 'lineage' : backup;
    const killed = 2 + Math.floor(this.#random() * 4);
    for (let attempt = 1; ; attempt += 1) {
      const isLast = attempt > killed || this.kills >= wanted;
      await this.#lab.adoptLineage(lineage);
      const made = await this.#attempt({ backup, attempt }, isLast ? undefined : this.#nextKill());
      const sealed = await this.#lab.sealed(backup);
      if (sealed) {
        await this.#found(sealed, made);
        if (isLast) expect(await this.#lab.leftoverFiles(), 'temporary files after a whole backup').toEqual([]);
        return;
      }
      const about = `${this.#about()}, attempt ${attempt}: ${JSON.stringify(made.job)}`;
      expect(made.job.state, about).toBe(isLast ? 'Succeeded' : 'Failed');
      expect(isLast, `backup ${backup} is said to be sealed and is not, ${this.#about()}`).toBe(false);
    }
  }

  #nextKill(): Kill {
    const steps = stepsOf[this.#victim];
    this.#tries += 1;
    const step = steps[this.#tries % steps.length] ?? 'copying';
    return { step, afterMs: this.#random() * (this.#lengths.get(step) ?? 0) };
  }

  async #attempt(order: { backup: string; attempt: number }, kill: Kill | undefined): Promise<Made> {
    const there = await this.#lab.segments(order.backup);
    await using _load = await this.#lab.load();
    let now: BackupStep | undefined;
    let killing: Promise<void> | undefined;
    // Of the step before that, the end is waited for; asking all the time would be most of what this run does.
    const isNear = (): boolean =>
      kill !== undefined && !killing && backupSteps.indexOf(kill.step) - backupSteps.indexOf(now ?? 'preflight') <= 1;
    const told = await this.#lab.worker.attempt(order, {
      pollMs: () => (isNear() ? watchfulMs : patientMs),
      onStep: (step) => {
        now = step;
        if (kill?.step === step) killing ??= sleep(kill.afterMs).then(async () => this.#kill(() => now));
      },
    });
    now = undefined;
    await killing;
    const job = await this.#afterwards(order, told);
    await this.#countAdoption(order, there.count);
    return { job, before: there.bytes };
  }

  /** @param step undefined once the attempt has ended: then another instant must do */
  async #kill(step: () => BackupStep | undefined): Promise<void> {
    const tool = this.#victim === 'tool' ? await this.#toolAt(step) : undefined;
    const at = step();
    if (at === undefined || (this.#victim === 'tool' && tool === undefined)) return;
    if (tool !== undefined) process.kill(tool, 'SIGKILL');
    if (this.#victim === 'agent') await this.#lab.worker.kill();
    if (this.#victim === 'database') await this.#lab.killDatabase();
    this.#count(at);
  }

  #count(step: BackupStep): void {
    this.kills += 1;
    this.#counts.set(step, (this.#counts.get(step) ?? 0) + 1);
    // The last count is told at the end.
    if (this.kills % tellEvery === 0 && this.kills < wanted) this.report();
  }

  /** A tool that is about to start is waited for. */
  async #toolAt(step: () => BackupStep | undefined): Promise<number | undefined> {
    for (;;) {
      const tool = await toolOf(this.#lab.worker.pid);
      if (tool !== undefined || step() !== 'starting') return tool;
      await sleep(1);
    }
  }

  /** Brings back what was killed. @returns the job as the agent, or the next one, tells of it */
  async #afterwards(order: { backup: string; attempt: number }, told: Made['job'] | undefined): Promise<Made['job']> {
    if (this.#victim === 'database') await this.#lab.restartDatabase();
    if (told !== undefined && !this.#lab.worker.isDead()) return told;
    await this.#lab.restartWorker();
    await this.#expectNoTools();
    const { client } = this.#lab.worker;
    const job = await client.get('backup', order.backup, { signal });
    expect(job.attempt, this.#about()).toBe(order.attempt);
    // Its end may have been on disk already.
    if (job.state !== 'Succeeded') {
      const failure = { code: 'agent-restarted', isPermanent: false };
      expect(job, this.#about()).toMatchObject({ state: 'Failed', isLocked: false, failure });
      this.#restarted += 1;
    }
    return job;
  }

  /** Were all segments found that were there? What a killed agent had not written of its log yet is lost. */
  async #countAdoption({ backup, attempt }: { backup: string; attempt: number }, count: number): Promise<void> {
    let isThis = false;
    let start: string | undefined;
    for await (const { text } of this.#lab.worker.client.log('backup', backup, { follow: false, signal })) {
      isThis ||= text.startsWith(`holdfast: attempt ${attempt} of backup`);
      if (isThis && text.startsWith(`holdfast: backup ${backup}, attempt `)) start = text;
    }
    if (start === undefined) return;
    expect(Number(/(\d+) segments of earlier/.exec(start)?.[1] ?? 0), this.#about()).toBe(count);
    if (count > 0) this.#adoptions += 1;
  }

  async #found(sealed: Sealed, { job, before }: Made): Promise<void> {
    if (job.state !== 'Succeeded') await this.#askAgain(sealed, job);
    this.#good.push(sealed);
    this.#uploaded.before += before;
    this.#uploaded.takenUp += await this.#lab.takenUp(sealed);
    const withServer = this.#good.length % serverOnEvery === 1;
    expect(await this.#lab.restore(sealed, { withServer }), this.#about()).toBe(withServer ? 'good' : 'prepared');
    if (withServer) this.#started += 1;
  }

  /** It was sealed, and nobody lived to hear so: the next attempt finds it. */
  async #askAgain({ backup, attempt }: Sealed, job: Made['job']): Promise<void> {
    const order = { backup, attempt: job.attempt + 1 };
    const next = await this.#lab.worker.attempt(order, { pollMs: () => patientMs, onStep: () => undefined });
    expect(next, this.#about()).toMatchObject({ state: 'Succeeded', result: { backup, attempt } });
  }

  /** Without its parent a tool has a moment to end. */
  async #expectNoTools(): Promise<void> {
    const deadline = performance.now() + 5_000;
    while ((await this.#lab.leftoverTools()).length > 0 && performance.now() < deadline) await sleep(10);
    expect(await this.#lab.leftoverTools(), this.#about()).toEqual([]);
  }

  /** Every backup that was good once still is, and what was uploaded was of use. */
  async prove(): Promise<void> {
    await this.#expectNoTools();
    for (const sealed of this.#good) expect(await this.#lab.damage(sealed), this.#about()).toEqual([]);
    expect(this.#adoptions).toBeGreaterThan(0);
    if (this.#victim === 'agent') expect(this.#restarted).toBeGreaterThan(0);
    const { before, takenUp } = this.#uploaded;
    expect(takenUp, `of ${before} bytes that were uploaded before, ${this.#about()}`).toBeGreaterThan(before / 4);
  }

  report(): void {
    const counts = backupSteps.flatMap((step) => (this.#counts.has(step) ? [`${step} ${this.#counts.get(step)}`] : []));
    const { before, takenUp } = this.#uploaded;
    process.stdout.write(
      `${this.#victim} killed ${this.kills} times, seed ${seed}: ${counts.join(', ')}; ` +
        `${this.#goodBefore + this.#good.length} backups sealed and restored, a server started on ${this.#started}; ` +
        `${this.#restarted} jobs told as agent-restarted; ${this.#adoptions} attempts took up segments; ` +
        `${(takenUp / 1e6).toFixed(1)} of the ${(before / 1e6).toFixed(1)} MB that were there are in use\n`,
    );
  }

  #about(): string {
    return `seed ${seed}, after ${this.kills} kills`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lab[Symbol.asyncDispose]();
  }
}
