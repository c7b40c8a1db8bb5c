import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Resource, RunKind } from '../../../src/api/resources.ts';
import { isPinned } from '../../../src/core/proof.ts';
import { checkBackup } from '../../../src/repository/check.ts';
import { readNotes } from '../../../src/repository/notes.ts';
import { isDeleted, readSettlement } from '../../../src/repository/settle.ts';
import { ManagerKillLab, type Scenario } from '../../support/manager-kill-lab.ts';
import type { KillPoint } from '../../support/manager-worker.ts';
import { randomSource } from '../../support/pieces.ts';

const wanted = Number(process.env['HOLDFAST_KILLS'] ?? 60);
const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const signal = new AbortController().signal;
const dayMs = 25 * 3_600_000;

it(
  'a manager that is killed at any instant leaves nothing stuck, nothing doubled, and calls nothing good that is not',
  async () => {
    await using lab = await ManagerKillLab.start();
    const run = new KillRun(lab);
    await run.round();
    while (lab.kills < wanted) await run.round();
    await run.prove();
    run.report();
  },
  300_000 + wanted * 20_000,
);

type What = 'backup' | 'cancel' | 'pin' | 'unpin' | 'drill' | 'restore' | 'delete' | 'delete-cancelled' | 'purge';

/** How many kills one run of a scenario gets at most. */
const killsIn: Readonly<Record<What, number>> = {
  backup: 8,
  cancel: 6,
  pin: 3,
  unpin: 3,
  drill: 7,
  restore: 7,
  delete: 6,
  'delete-cancelled': 4,
  purge: 5,
};

class KillRun {
  readonly #lab: ManagerKillLab;
  readonly #random = randomSource(seed);
  /** The points that a scenario passes when nobody disturbs, with how often; learnt in the first round. */
  readonly #passed = new Map<What, Map<string, number>>();
  /** Whose turn it is among the points of a scenario. */
  readonly #turns = new Map<What, number>();
  #rounds = 0;

  constructor(lab: ManagerKillLab) {
    this.#lab = lab;
  }

  /** The life of a backup from its wish to the end of its record. The first one is not disturbed. */
  async round(): Promise<void> {
    this.#rounds += 1;
    const [good, bad] = [`good-${this.#rounds}`, `bad-${this.#rounds}`];
    const backup = await this.#backUp(good);
    await this.#cancel(bad);
    await this.#pin(good, true);
    await this.#pin(good, false);
    await this.#drill(good);
    await this.#restore(good);
    const about = `seed ${seed}`;
    // Some stay, so that later ones lean on them, and are looked at in the end.
    if (this.#rounds % 2 === 0) return;
    await this.#delete(good, 'delete');
    await this.#delete(bad, 'delete-cancelled');
    expect(await isDeleted(await this.#lab.repository(), backup.status.id, signal), about).toBe(true);
    expect(await this.#lab.sealed(good), about).toEqual([]);
    await this.#purge(good);
  }

  async #backUp(name: string): Promise<Resource<'Backup'>> {
    const run = await this.#carry('backup', {
      kind: 'Backup',
      name,
      wish: { do: 'back-up', name },
      isHeard: isThere,
      isDone: hasEnded,
    });
    expect(run?.status, this.#about()).toMatchObject({ state: 'Succeeded', attempt: 1, attempts: [{ number: 1 }] });
    const backup = run ?? fail();
    expect(await readSettlement(await this.#lab.repository(), backup.status.id, signal)).toMatchObject({
      state: 'sealed',
      name,
    });
    expect(await this.#lab.sealed(name), this.#about()).toHaveLength(1);
    expect(await this.#lab.jobsOf(backup.status.id), this.#about()).toMatchObject([{ attempt: 1, state: 'Succeeded' }]);
    return backup;
  }

  async #cancel(name: string): Promise<void> {
    const run = await this.#carry('cancel', {
      kind: 'Backup',
      name,
      wish: { do: 'back-up', name },
      isHeard: isThere,
      next: {
        when: ({ spec, status }) => status.state === 'Running' && !spec.isCancelled,
        wish: { do: 'cancel', name },
      },
      isDone: hasEnded,
    });
    const { id, state } = (run ?? fail()).status;
    const settlement = await readSettlement(await this.#lab.repository(), id, signal);
    // It may have been sealed before anybody could cancel it; then it is good, and said to be.
    expect([state, settlement?.state], this.#about()).toEqual(
      state === 'Succeeded' ? ['Succeeded', 'sealed'] : ['Cancelled', 'void'],
    );
    expect((await this.#lab.jobsOf(id)).length, this.#about()).toBe(1);
  }

  async #pin(name: string, isWanted: boolean): Promise<void> {
    const run = await this.#carry(isWanted ? 'pin' : 'unpin', {
      kind: 'Backup',
      name,
      wish: { do: isWanted ? 'pin' : 'unpin', name },
      isHeard: (found) => found?.spec.isPinned === isWanted,
      isDone: (found) => found?.spec.isPinned === isWanted && found.status.isPinned === isWanted,
    });
    const notes = await readNotes(await this.#lab.repository(), (run ?? fail()).status.id, signal);
    expect(isPinned(notes), this.#about()).toBe(isWanted);
    expect(notes.filter(({ kind }) => kind === (isWanted ? 'pinned' : 'unpinned'))).toHaveLength(1);
  }

  async #drill(backup: string): Promise<void> {
    const name = `drill-${backup}`;
    const run = await this.#carry('drill', {
      kind: 'Drill',
      name,
      wish: { do: 'drill', name, backup },
      isHeard: isThere,
      isDone: hasEnded,
    });
    expect(run?.status, this.#about()).toMatchObject({ state: 'Succeeded', attempt: 1 });
    expect(await this.#lab.jobsOf((run ?? fail()).uid), this.#about()).toMatchObject([{ attempt: 1 }]);
    const [sealed] = await this.#lab.sealed(backup);
    const notes = await readNotes(await this.#lab.repository(), sealed?.backup ?? '', signal);
    expect(
      notes.filter(({ kind }) => kind === 'proven'),
      this.#about(),
    ).toHaveLength(1);
    const { run: proven } = await this.#lab.carryThrough(shown(backup), []);
    expect(proven?.status.proof, this.#about()).toMatchObject({ level: 'proven' });
  }

  async #restore(backup: string): Promise<void> {
    const name = `restore-${backup}`;
    const directory = this.#lab.directory(name);
    const run = await this.#carry('restore', {
      kind: 'Restore',
      name,
      wish: { do: 'restore', name, backup, directory },
      isHeard: isThere,
      isDone: hasEnded,
    });
    expect(run?.status, this.#about()).toMatchObject({ state: 'Succeeded', attempt: 1, result: { target: directory } });
    expect(await this.#lab.jobsOf((run ?? fail()).uid), this.#about()).toMatchObject([{ attempt: 1 }]);
    await access(join(directory, 'app', 't.ibd'));
  }

  async #delete(name: string, what: 'delete' | 'delete-cancelled'): Promise<void> {
    const run = await this.#carry(what, {
      kind: 'Backup',
      name,
      wish: { do: 'delete', name },
      isHeard: (found) => found?.spec.isDeleted === true,
      isDone: (found) => found?.status.state === 'Deleted' || found?.status.state === 'DeleteFailed',
    });
    expect(run?.status, this.#about()).toMatchObject({ state: 'Deleted' });
  }

  /** A day later. */
  async #purge(name: string): Promise<void> {
    const run = await this.#carry('purge', {
      kind: 'Backup',
      name,
      wish: { do: 'show', kind: 'Backup', name },
      isHeard: () => true,
      isDone: (found) => found === undefined,
      aheadMs: dayMs,
    });
    expect(run, this.#about()).toBeUndefined();
    expect((await this.#lab.listed()).filter((each) => each.state === 'unsettled')).toEqual([]);
  }

  async #carry<Kind extends RunKind>(what: What, scenario: Scenario<Kind>): Promise<Resource<Kind> | undefined> {
    try {
      const { run, points } = await this.#lab.carryThrough(scenario, this.#nextKills(what));
      if (!this.#passed.has(what)) this.#passed.set(what, counted(points));
      return run;
    } catch (cause) {
      throw new Error(`${what}, ${this.#about()}`, { cause });
    }
  }

  /** The points whose turn it is, in the order in which they are passed. */
  #nextKills(what: What): KillPoint[] {
    const passed = [...(this.#passed.get(what) ?? [])];
    const turn = this.#turns.get(what) ?? Math.floor(this.#random() * passed.length);
    const count = Math.min(killsIn[what], passed.length, Math.max(0, wanted - this.#lab.kills));
    this.#turns.set(what, turn + count);
    const places = Array.from({ length: count }, (_, index) => (turn + index) % passed.length);
    return places
      .toSorted((a, b) => a - b)
      .map((place) => {
        const [point, times] = passed[place] ?? fail();
        // Some come again and again.
        const occurrence = this.#random() < 0.7 ? 1 : 1 + Math.floor(this.#random() * Math.min(times, 4));
        return { point, occurrence, delayMs: this.#random() < 0.6 ? 0 : Math.floor(this.#random() * 30) };
      });
  }

  /** Every byte of what is called good is there. */
  async prove(): Promise<void> {
    const repository = await this.#lab.repository();
    const listed = await this.#lab.listed();
    const sealed = listed.flatMap((each) => (each.state === 'sealed' ? [each.sealed] : []));
    expect(sealed.length).toBeGreaterThan(0);
    for (const each of sealed) {
      const options = { signal, readData: true, temporaryDirectory: this.#lab.parts.home.directory };
      expect((await checkBackup(repository, each, options)).bad, this.#about()).toEqual([]);
      const { run } = await this.#lab.carryThrough(shown(each.name), []);
      expect(run?.status, this.#about()).toMatchObject({ state: 'Succeeded', id: each.backup });
    }
  }

  report(): void {
    const points = [...this.#lab.killedAt].map(([point, count]) => `${point} ${count}`).join(', ');
    process.stdout.write(
      `manager killed ${this.#lab.kills} times in ${this.#rounds} rounds, seed ${seed}: ${points}\n`,
    );
  }

  #about(): string {
    return `seed ${seed}, after ${this.#lab.kills} kills in round ${this.#rounds}`;
  }
}

function shown(name: string): Scenario<'Backup'> {
  return { kind: 'Backup', name, wish: { do: 'show', kind: 'Backup', name }, isHeard: () => true, isDone: () => true };
}

function isThere(run: Resource<RunKind> | undefined): boolean {
  return run !== undefined;
}

function hasEnded(run: Resource<RunKind> | undefined): boolean {
  return run !== undefined && ['Succeeded', 'Failed', 'Cancelled'].includes(run.status.state);
}

function counted(points: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const point of points) counts.set(point, (counts.get(point) ?? 0) + 1);
  return counts;
}

function fail(): never {
  throw new Error(`something is missing, seed ${seed}`);
}
