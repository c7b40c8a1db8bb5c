import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ManagerEvent } from '../api/events.ts';
import { EventHub } from './event-hub.ts';

function hubAt() {
  const clock = {
    time: 0,
    elapsed: () => clock.time,
    sleep: async (ms: number, options?: object) => sleep(Math.min(ms, 5), undefined, options),
  };
  const ending = new AbortController();
  const hub = new EventHub({ clock, limit: 3 });
  let stalled = 0;
  const listen = () => hub.subscribe({ signal: ending.signal, onStalled: () => (stalled += 1) });
  return { clock, hub, ending, listen, stalled: () => stalled };
}

function change(name: string, version = 1): ManagerEvent {
  return { type: 'change', kind: 'Backup', name, version };
}

async function next(events: AsyncGenerator<readonly ManagerEvent[], void>): Promise<readonly ManagerEvent[]> {
  for (;;) {
    const { value } = await events.next();
    if (value === undefined) throw new Error('The events ended');
    if (value.length > 0) return value;
  }
}

test('every listener hears what happens from the moment it listens; one thing is told once', async () => {
  const { hub, listen, ending } = hubAt();
  hub.tell(change('before'));
  const listeners = [listen(), listen()];
  const heard = listeners.map(async (each) => next(each));
  await sleep(1);
  for (const version of [1, 2, 3]) hub.tell(change('a', version));
  hub.tell(change('b'));
  for (const each of await Promise.all(heard)) expect(each).toEqual([change('a', 3), change('b')]);
  ending.abort();
  expect((await listeners[0]?.next())?.done).toBe(true);
});

test('one that falls behind is told to read all again, and nothing piles up', async () => {
  const { hub, listen } = hubAt();
  const events = listen();
  const first = next(events);
  await sleep(1);
  hub.tell(change('a'));
  await first;
  for (let count = 0; count < 10_000; count += 1) hub.tell(change(`b${count}`));
  expect(await next(events)).toEqual([{ type: 'resync' }]);
  hub.tell(change('c'));
  expect(await next(events)).toEqual([change('c')]);
});

test('one that takes nothing for half a minute is dropped', async () => {
  const { hub, listen, clock, stalled } = hubAt();
  const events = listen();
  const first = next(events);
  await sleep(1);
  hub.tell(change('a'));
  await first;
  clock.time = 29_000;
  hub.tell(change('b'));
  expect(stalled()).toBe(0);
  clock.time = 31_000;
  hub.tell(change('c'));
  expect(stalled()).toBe(1);
  expect((await events.next()).done).toBe(true);
  expect(hub.size).toBe(0);
});

test('the first answer comes at once, and from then on nothing is missed', async () => {
  const { hub, listen } = hubAt();
  const events = listen();
  expect((await events.next()).value).toEqual([]);
  hub.tell(change('a'));
  expect((await events.next()).value).toEqual([change('a')]);
});

test('silence is told, too, so that a dead connection is found', async () => {
  const { listen } = hubAt();
  const events = listen();
  await events.next();
  expect((await events.next()).value).toEqual([]);
});
