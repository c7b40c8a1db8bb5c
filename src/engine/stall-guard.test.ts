import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../lib/clock.ts';
import { StallGuard } from './stall-guard.ts';

interface Fixture extends Disposable {
  readonly guard: StallGuard;
  readonly stalls: number[];
  /** Lets the time pass, and the guard look at it. */
  pass(ms: number): Promise<void>;
}

function start(): Fixture {
  let now = 0;
  const clock: Clock = { now: () => now, elapsed: () => now, sleep: async () => undefined };
  const stalls: number[] = [];
  const guard = new StallGuard({ limitMs: 50, onStall: (held) => stalls.push(held), clock });
  const pass = async (ms: number): Promise<void> => {
    now += ms;
    await sleep(20);
  };
  return { guard, stalls, pass, [Symbol.dispose]: () => guard[Symbol.dispose]() };
}

describe('a consumer', () => {
  it('may take its time while nothing is locked', async () => {
    using fixture = start();
    fixture.guard.handedOut();
    await fixture.pass(10_000);
    expect(fixture.stalls).toEqual([]);
  });

  it('is given the limit from the moment that the lock was taken', async () => {
    using fixture = start();
    fixture.guard.handedOut();
    await fixture.pass(10_000);
    fixture.guard.lockChanged('changes');
    await fixture.pass(44);
    expect(fixture.stalls).toEqual([]);
    await fixture.pass(1);
    await fixture.pass(100);
    expect(fixture.stalls).toEqual([45]);
  });

  it('that asks in time goes on, however often, where no commit waits', async () => {
    using fixture = start();
    fixture.guard.lockChanged('changes');
    for (let turn = 0; turn < 5; turn += 1) {
      fixture.guard.handedOut();
      await fixture.pass(40);
      fixture.guard.askedForMore();
    }
    expect(fixture.stalls).toEqual([]);
  });

  it('has the limit once for all its waits while commits wait', async () => {
    using fixture = start();
    fixture.guard.lockChanged('commits');
    fixture.guard.handedOut();
    await fixture.pass(40);
    fixture.guard.askedForMore();
    await fixture.pass(1_000);
    expect(fixture.stalls).toEqual([]);
    fixture.guard.handedOut();
    await fixture.pass(10);
    expect(fixture.stalls).toEqual([50]);
  });

  it('has less where commits waited for the tool before, as they shall not wait longer in all', async () => {
    using fixture = start();
    fixture.guard.lockChanged('commits');
    await fixture.pass(15);
    fixture.guard.handedOut();
    await fixture.pass(29);
    expect(fixture.stalls).toEqual([]);
    await fixture.pass(1);
    expect(fixture.stalls).toEqual([30]);
  });

  it('is not blamed for commits that wait for the tool', async () => {
    using fixture = start();
    fixture.guard.lockChanged('commits');
    await fixture.pass(1_000);
    fixture.guard.handedOut();
    await fixture.pass(30);
    expect(fixture.stalls).toEqual([]);
  });

  it('is free again when the lock is released', async () => {
    using fixture = start();
    fixture.guard.lockChanged('commits');
    fixture.guard.handedOut();
    await fixture.pass(40);
    fixture.guard.lockChanged('none');
    await fixture.pass(1_000);
    expect(fixture.stalls).toEqual([]);
  });
});
