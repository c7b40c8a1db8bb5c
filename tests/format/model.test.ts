import { expect, test } from 'vitest';
import { CorruptData } from '../../src/lib/failure.ts';
import { prune, voidAbandoned } from '../../src/repository/prune.ts';
import { markDeleted, voidBackup } from '../../src/repository/settle.ts';
import { neverAborted } from '../support/repositories.ts';
import { isExpected } from './model/expected.ts';
import { type Actor, DAY, Scheduler } from './model/scheduler.ts';
import { type Deed, deeds, World } from './model/world.ts';

/**
 * Writers, deleters, clearers and collections whose storage calls take effect in random order, that pause for days and die,
 * with lists that lag and answers that are lost: every sealed, undeleted backup restores, always.
 */

const signal = neverAborted;
const HOUR = DAY / 24;
const RUNS = Number(process.env['HOLDFAST_MODEL_RUNS'] ?? 40);
const SEED = Number(process.env['HOLDFAST_MODEL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const ACTORS = 45;
const LINEAGES = ['one', 'two'];
/**
 * A store that ignores "if absent" cannot keep a paused attempt from overwriting the seal of a later one. There an attempt
 * that lasts longer than seven days is outside of what is promised (docs/format.md, "Stores without conditional puts").
 */
const LONGEST_ATTEMPT = 6.5 * DAY;
/** Where runs do less than this in the mean, far below what is usual, the model proves nothing. */
const LEAST = { sealed: 4, adopted: 0.05, leaning: 1.5, collected: 1, restored: 0.7 } as const;
/** Fewer runs, as when one is repeated, may do less by chance. */
const MEANINGFUL_RUNS = 40;

test.each([
  ['keeps "if absent"', true],
  ['ignores "if absent"', false],
])(
  'in a store that %s every sealed, undeleted backup restores',
  { timeout: 3_600_000 },
  async (name, conditionalPut) => {
    process.stdout.write(`model of a store that ${name}: HOLDFAST_MODEL_SEED=${SEED} HOLDFAST_MODEL_RUNS=${RUNS}\n`);
    const done: Record<Deed, number> = { sealed: 0, adopted: 0, leaning: 0, collected: 0, restored: 0 };
    for (let run = 0; run < RUNS; run += 1) await play(SEED + run, { conditionalPut, done });
    process.stdout.write(`model of a store that ${name}: ${JSON.stringify(done)}\n`);
    if (RUNS < MEANINGFUL_RUNS) return;
    for (const deed of deeds)
      expect(done[deed], `${deed} in ${RUNS} runs, seed ${SEED}`).toBeGreaterThan(LEAST[deed] * RUNS);
  },
);

async function play(seed: number, options: Parameters<typeof World.create>[1]): Promise<void> {
  const { conditionalPut } = options;
  const world = await World.create(seed, options);
  const { random, base, time } = world;
  // Where nobody pauses, collections come to remove what in other worlds an unsettled writer protects.
  const nerves = seed % 3 === 0 ? 0 : 1;
  const scheduler = new Scheduler({
    random,
    base,
    world: time,
    maxLagHours: 22,
    nerves,
    afterStep: async () => world.check(),
    isExpected,
  });
  try {
    await playOut(world, scheduler);
    await world.restoreAll();
    await settleAll(world, scheduler);
    await world.checkNothingIsLeft();
    await world.restoreAll();
  } catch (cause) {
    const how = `HOLDFAST_MODEL_SEED=${seed} HOLDFAST_MODEL_RUNS=1, ${conditionalPut ? 'keeps' : 'ignores'} "if absent"`;
    const trace = scheduler.trace.slice(-400).join('\n');
    throw new Error(`The model found a violation (${how}): ${String(cause)}\n${trace}`, { cause });
  }
}

async function playOut(world: World, scheduler: Scheduler): Promise<void> {
  const { random } = world;
  let chance = 1;
  for (let spawned = 0; spawned < ACTORS || scheduler.living > 0;) {
    if (spawned < ACTORS && random() < chance) {
      spawnOne(world, scheduler);
      spawned += 1;
    }
    disturb(world, scheduler);
    // While somebody sleeps others come and go.
    chance = (await scheduler.step()) === 'all paused' ? 0.5 : 0.02;
  }
}

function spawnOne(world: World, scheduler: Scheduler): void {
  const chance = world.random();
  if (chance < 0.4) {
    const job = chooseJob(world);
    scheduler.spawn('writer', async (actor) => world.write(actor, job));
  } else if (chance < 0.6) scheduler.spawn('deleter', async (actor) => deleteOne(world, actor));
  else if (chance < 0.72) scheduler.spawn('restore', async (actor) => world.read(actor));
  else if (chance < 0.78) scheduler.spawn('clearer', async (actor) => clear(world, actor));
  else scheduler.spawn('pruner', async (actor) => world.collect(actor));
}

/** A new backup, or another attempt of one that is there, settled or not. */
function chooseJob(world: World): { backup: string; lineage: string } {
  const old = world.backups.at(-1 - Math.floor(world.random() * 3));
  if (old && world.random() < 0.4) return { backup: old.id, lineage: old.lineage };
  const lineage = world.random() < 0.75 ? 'one' : 'two';
  expect(LINEAGES).toContain(lineage);
  return { backup: world.newBackup(lineage), lineage };
}

/** Mostly the newest one: that is what writers lean on. */
async function deleteOne(world: World, actor: Actor): Promise<void> {
  const alive = (await world.alive()).toSorted();
  const ids = world.random() < 0.7 && alive.length > 0 ? alive.slice(-2) : world.backups.map(({ id }) => id);
  const chosen = ids[Math.floor(world.random() * ids.length)];
  if (chosen === undefined) return;
  world.unwanted.add(chosen);
  await markDeleted(world.seen(actor), chosen, { reason: 'the model says so', signal });
}

async function clear(world: World, actor: Actor): Promise<void> {
  const repository = world.seen(actor);
  const unsettled = world.unsettled();
  const chosen = unsettled[Math.floor(world.random() * unsettled.length)];
  if (chosen === undefined) return;
  if (world.random() < 0.3) {
    // Where "if absent" is ignored, a clearer that pauses between looking and marking hides what was sealed meanwhile.
    if (!world.repository.facts.conditionalPut) for (const { id } of world.backups) world.unwanted.add(id);
    await voidAbandoned(repository, signal);
    return;
  }
  if (!world.repository.facts.conditionalPut) world.unwanted.add(chosen);
  await voidBackup(repository, chosen, { reason: 'a person says so', signal });
}

/** Time passes, actors die. */
function disturb(world: World, scheduler: Scheduler): void {
  const { random, time } = world;
  if (random() < 0.01) time.now += Math.floor(random() * 30) * HOUR;
  const actors = scheduler.actors();
  const actor = actors[Math.floor(random() * actors.length)];
  if (actor && random() < 0.003 * scheduler.nerves) scheduler.kill(actor);
  if (!world.repository.facts.conditionalPut) endLongAttempts(world, actors, scheduler);
}

function endLongAttempts(world: World, actors: readonly Actor[], scheduler: Scheduler): void {
  for (const each of actors) {
    if (each.kind === 'writer' && world.time.now - each.bornAt > LONGEST_ATTEMPT) scheduler.kill(each);
  }
}

async function settleAll(world: World, scheduler: Scheduler): Promise<void> {
  expect(scheduler.living).toBe(0);
  world.time.now += 10 * DAY;
  await voidAbandoned(world.repository, signal);
  world.time.now += 10 * DAY;
  for (let round = 0; round < 2; round += 1) await pruneOrSay(world);
}

/** A table that cannot be read would stop the collection for good. */
async function pruneOrSay(world: World): Promise<void> {
  try {
    await prune(world.repository, { signal, isDryRun: false });
  } catch (error) {
    if (error instanceof CorruptData) throw new Error('the repository is damaged', { cause: error });
    throw error;
  }
}
