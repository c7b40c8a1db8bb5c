import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../tests/support/fake-clock.ts';
import { Conflict } from '../lib/failure.ts';
import { WorkQueue } from './queue.ts';

let clock: FakeClock;
let queue: WorkQueue;
let worked: string[];
let troubles: string[];
let atOnce: { now: number; most: number };
/** What working on a key does; default nothing. */
let behaviour: Map<string, () => Promise<number | undefined>>;

beforeEach(() => {
  clock = new FakeClock();
  worked = [];
  troubles = [];
  atOnce = { now: 0, most: 0 };
  behaviour = new Map();
  queue = new WorkQueue({ work, workers: 2, clock, onTrouble: (message) => troubles.push(message) });
  queue.start();
});
afterEach(async () => queue[Symbol.asyncDispose]());

async function work(key: string): Promise<number | undefined> {
  worked.push(key);
  atOnce.now += 1;
  atOnce.most = Math.max(atOnce.most, atOnce.now);
  try {
    return await behaviour.get(key)?.();
  } finally {
    atOnce.now -= 1;
  }
}

function sleeping(ms: number): () => Promise<undefined> {
  return async () => {
    await clock.sleep(ms);
    return undefined;
  };
}

describe('a queue of keys', () => {
  it('works on a key once, however often it was added', async () => {
    for (let time = 0; time < 5; time += 1) queue.add('a');
    await clock.pass(0);
    expect(worked).toEqual(['a']);
  });

  it('works on a key again that was added while it was worked on, and never twice at once', async () => {
    behaviour.set('a', sleeping(100));
    queue.add('a');
    await clock.pass(50);
    queue.add('a');
    queue.add('a');
    await clock.pass(49);
    expect(worked).toEqual(['a']);
    await clock.pass(1000);
    expect(worked).toEqual(['a', 'a']);
    expect(atOnce.most).toBe(1);
  });

  it('works on no more keys at once than it has workers', async () => {
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      behaviour.set(key, sleeping(100));
      queue.add(key);
    }
    await clock.pass(1000);
    expect(worked).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(atOnce.most).toBe(2);
  });

  it('comes back to a key when its work wants that, and not in between', async () => {
    behaviour.set('a', async () => (worked.length < 3 ? 500 : undefined));
    queue.add('a');
    await clock.pass(499);
    expect(worked).toHaveLength(1);
    await clock.pass(10_000);
    expect(worked).toHaveLength(3);
  });

  it('forgets a wish to come later when the key comes earlier', async () => {
    queue.addAfter('a', 1_000);
    await clock.pass(500);
    queue.add('a');
    await clock.pass(10_000);
    expect(worked).toEqual(['a']);
  });

  it('waits longer and longer after failures, at most 5 minutes, and begins anew after a success', async () => {
    const start = clock.now();
    const at: number[] = [];
    behaviour.set('a', async () => {
      at.push((clock.now() - start) / 1000);
      if (at.length === 12) return undefined;
      throw new Error('no');
    });
    queue.add('a');
    await clock.pass(3_600_000);
    expect(at).toEqual([0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111]);
    expect(troubles).toHaveLength(11);
    queue.add('a');
    await clock.pass(1_000);
    expect(at.length).toBe(14);
  });

  it('tries again at once, and says nothing, when somebody else was faster to change a resource', async () => {
    behaviour.set('a', async () => {
      if (worked.length > 1) return undefined;
      throw new Conflict('changed-meanwhile', 'Cannot change it');
    });
    queue.add('a');
    await clock.pass(100);
    expect(worked).toEqual(['a', 'a']);
    expect(troubles).toEqual([]);
  });

  it('ends with what is under way and takes nothing more', async () => {
    behaviour.set('a', sleeping(100));
    queue.add('a');
    await clock.pass(10);
    const ended = queue[Symbol.asyncDispose]();
    queue.add('b');
    await clock.pass(1_000);
    await ended;
    expect(worked).toEqual(['a']);
  });
});
