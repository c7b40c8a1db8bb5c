import type { GetOptions, ListOptions, PutOptions, Storage, StoredObject } from '../../../src/storage/storage.ts';
import type { MemoryStorage } from '../../../src/storage/memory.ts';

const HOUR = 3600_000;
export const DAY = 24 * HOUR;
/** Machines of one store differ by some minutes: a list shows also what the next one stamped. */
export const NO_LAG = -HOUR;

/** An actor's call that waits for its turn. */
interface Waiting {
  readonly actor: Actor;
  readonly verb: string;
  readonly key: string;
  readonly go: () => void;
  readonly die: (error: Error) => void;
}

export interface SchedulerOptions {
  readonly random: () => number;
  readonly base: MemoryStorage;
  readonly world: { now: number; listLagMs: number };
  /** Called after each call that took effect. */
  readonly afterStep: () => Promise<void>;
  /** How often actors pause and die and answers are lost: 0 in a calm world. */
  readonly nerves: number;
  /** Hours that lists may lag behind; below 24. */
  readonly maxLagHours: number;
  /** May an actor of this kind end with this error? Any other one is a violation. */
  readonly isExpected: (kind: Kind, error: unknown) => boolean;
}

/** Who is at work; the model expects other failures of each. */
export type Kind = 'writer' | 'deleter' | 'restore' | 'clearer' | 'pruner';

class Died extends Error {
  override name = 'Died';
}

/** What was put is stored, and whoever put it does not learn of it. */
export class AnswerLost extends Error {
  override name = 'AnswerLost';
}

/** Decides whose next storage call takes effect, lets time pass between calls, and lets actors pause for days or die. */
export class Scheduler {
  readonly trace: string[] = [];
  readonly #options: SchedulerOptions;
  readonly #waiting: Waiting[] = [];
  readonly #actors = new Set<Actor>();
  readonly #surprises: Error[] = [];

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  get nerves(): number {
    return this.#options.nerves;
  }

  get living(): number {
    return this.#actors.size;
  }

  /** Starts an actor. What it is expected to fail with ends it and nothing else; the next step throws any other error. */
  spawn(kind: Kind, run: (actor: Actor) => Promise<void>): Actor {
    const turn = async (verb: string, key: string): Promise<void> => this.#turn(actor, verb, key);
    const actor: Actor = new Actor(kind, `${kind} ${this.trace.length}`, { ...this.#options, turn });
    this.#actors.add(actor);
    run(actor).then(
      () => this.#end(actor, 'done'),
      (error: unknown) => this.#fail(actor, error),
    );
    return actor;
  }

  kill(actor: Actor): void {
    actor.isDead = true;
    for (const waiting of this.#waiting.filter((each) => each.actor === actor)) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.die(new Died('killed'));
    }
    this.#end(actor, 'killed');
  }

  actors(): Actor[] {
    return [...this.#actors];
  }

  /** Lets one waiting call take effect; where all are paused, some hours pass. */
  async step(): Promise<'acted' | 'all paused'> {
    await this.#settle();
    if (this.#waiting.length === 0) return 'all paused';
    const { world, random } = this.#options;
    const ready = this.#waiting.filter(({ actor }) => actor.pausedUntil <= world.now);
    if (ready.length === 0) {
      world.now += Math.floor(random() * 12) * HOUR;
      return 'all paused';
    }
    const actors = [...new Set(ready.map(({ actor }) => actor))];
    const actor = actors[Math.floor(random() * actors.length)];
    const calls = ready.filter((each) => each.actor === actor);
    const call = calls[Math.floor(random() * calls.length)];
    if (!call) return 'all paused';
    this.#waiting.splice(this.#waiting.indexOf(call), 1);
    this.trace.push(`${(world.now / HOUR).toFixed(1)} h ${call.actor.name} ${call.verb} ${call.key}`);
    call.go();
    await this.#settle();
    await this.#options.afterStep();
    return 'acted';
  }

  async #turn(actor: Actor, verb: string, key: string): Promise<void> {
    if (actor.isDead) throw new Died('killed');
    const { random, world } = this.#options;
    const isRestore = actor.kind === 'restore';
    const longest = isRestore ? DAY / 6 : (random() < 0.6 ? 6 : 25) * DAY;
    if (random() < (isRestore ? 0.8 : this.#options.nerves * riskOf(verb, key)))
      actor.pausedUntil = world.now + Math.floor(random() * longest);
    await new Promise<void>((go, die) => this.#waiting.push({ actor, verb, key, go, die }));
  }

  async #settle(): Promise<void> {
    await quiet();
    const [surprise] = this.#surprises;
    if (surprise) throw surprise;
  }

  /** Errors of the dead are of no account: nobody is there to see them. */
  #fail(actor: Actor, error: unknown): void {
    if (!actor.isDead && !this.#options.isExpected(actor.kind, error))
      this.#surprises.push(new Error(`${actor.name} failed as nobody expects: ${String(error)}`, { cause: error }));
    this.#end(actor, String(error));
  }

  #end(actor: Actor, how: string): void {
    if (!this.#actors.delete(actor)) return;
    this.trace.push(`${(this.#options.world.now / HOUR).toFixed(1)} h ${actor.name} ends: ${how}`);
  }
}

/** How likely a pause is: most where it hurts most, before a seal, before data goes, before an attempt says that it began. */
function riskOf(verb: string, key: string): number {
  if (verb === 'delete') return 0.2;
  if (verb === 'put' && key.startsWith('seals/')) return 0.5;
  return verb === 'put' && key.startsWith('begun/') ? 0.15 : 0.01;
}

/** Every promise that can go on without a storage call has gone on. */
async function quiet(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

type ActorOptions = SchedulerOptions & { readonly turn: (verb: string, key: string) => Promise<void> };

/** The store as one actor sees it: each call waits for its turn, lists lag, and answers may be lost. */
export class Actor implements Storage {
  readonly description = 'model';
  readonly kind: Kind;
  readonly name: string;
  readonly bornAt: number;
  readonly #options: ActorOptions;
  pausedUntil = 0;
  isDead = false;

  constructor(kind: Kind, name: string, options: ActorOptions) {
    this.kind = kind;
    this.name = name;
    this.bornAt = options.world.now;
    this.#options = options;
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<'stored' | 'exists'> {
    await this.#options.turn('put', key);
    const stored = await this.#options.base.put(key, bytes, options);
    if (this.#options.random() < 0.01 * this.#options.nerves)
      throw new AnswerLost(`the answer to the put of ${key} was lost`);
    return stored;
  }

  async get(key: string, options: GetOptions = {}): Promise<Buffer> {
    await this.#options.turn('get', key);
    return this.#options.base.get(key, options);
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<StoredObject> {
    await this.#options.turn('list', prefix);
    const { random, world, maxLagHours, base } = this.#options;
    world.listLagMs =
      prefix.startsWith('probe/') || random() < 0.6 ? NO_LAG : Math.floor(random() * maxLagHours) * HOUR;
    const found: StoredObject[] = [];
    for await (const object of base.list(prefix, options)) found.push(object);
    world.listLagMs = NO_LAG;
    yield* found;
  }

  async delete(keys: readonly string[]): Promise<void> {
    // One deletion has no order inside and may get no further than half of its keys.
    const { random, base } = this.#options;
    const mixed = keys.toSorted(() => random() - 0.5);
    const half = Math.floor(random() * keys.length);
    await this.#options.turn('delete', `${half} of ${keys.join(' ')}`);
    await base.delete(mixed.slice(0, half));
    await this.#options.turn('delete', `the rest of ${keys[0] ?? ''}`);
    await base.delete(mixed.slice(half));
  }
}
