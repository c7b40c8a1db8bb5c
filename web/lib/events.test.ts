import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ManagerEvent } from '../../src/api/events.ts';
import { isStale, LiveEvents, staleAfter } from './events.ts';

const aboutOne = (name: string) => ['backups', 'getBackup', { params: { name } }];
const list = ['backups', 'listBackups', { query: { page: 2 } }];
const change: ManagerEvent = { type: 'change', kind: 'Backup', name: 'a', version: 3 };

test('a change makes lists of its kind and what is told of its name stale, and nothing else', () => {
  const stale = staleAfter([change]);
  expect(isStale(list, stale)).toBe(true);
  expect(isStale(aboutOne('a'), stale)).toBe(true);
  expect(isStale(aboutOne('b'), stale)).toBe(false);
  expect(isStale(['services', 'listServices', {}], stale)).toBe(false);
});

test('a drill can prove a backup, an agent tells how its services are', () => {
  expect(isStale(aboutOne('b'), staleAfter([{ type: 'change', kind: 'Drill', name: 'd' }]))).toBe(true);
  const agent = staleAfter([{ type: 'change', kind: 'Agent', name: 'db1' }]);
  expect(isStale(['services', 'getService', { params: { name: 'shop' } }], agent)).toBe(true);
  expect(isStale(['backups', 'restoreTargets', { params: { name: 'b' } }], agent)).toBe(true);
  expect(isStale(aboutOne('b'), agent)).toBe(false);
});

test('after a loss everything is stale', () => {
  expect(isStale(['anything'], staleAfter([{ type: 'resync' }]))).toBe(true);
});

/** Says what a manager would. */
class Source extends EventTarget {
  isClosed = false;
  readyState = 1;
  say(event: ManagerEvent): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(event) }));
  }
  open(): void {
    this.dispatchEvent(new Event('open'));
  }
  breakOff(): void {
    this.readyState = 0;
    this.dispatchEvent(new Event('error'));
  }
  fail(): void {
    this.readyState = 2;
    this.dispatchEvent(new Event('error'));
  }
  close(): void {
    this.isClosed = true;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('each connection reads all again, the first one, too; many changes at once are read once', async () => {
  const queries = new QueryClient();
  const invalidate = vi.spyOn(queries, 'invalidateQueries');
  const source = new Source();
  const live = new LiveEvents(queries, () => source as unknown as EventSource);
  for (const times of [1, 2]) {
    source.open();
    await vi.advanceTimersByTimeAsync(1000);
    expect(invalidate).toHaveBeenCalledTimes(times);
    expect(invalidate.mock.lastCall?.[0]?.predicate?.({ queryKey: ['anything'] } as never)).toBe(true);
    source.breakOff();
  }
  source.say(change);
  source.say({ ...change, name: 'b' });
  await vi.advanceTimersByTimeAsync(1000);
  expect(invalidate).toHaveBeenCalledTimes(3);
  live[Symbol.dispose]();
  expect(source.isClosed).toBe(true);
});

test('an answer that was on its way when something changed is asked for again', async () => {
  const queries = new QueryClient();
  const source = new Source();
  using _live = new LiveEvents(queries, () => source as unknown as EventSource);
  let state = 'before';
  const queryFn = async () => {
    const read = state;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return read;
  };
  const watching = new QueryObserver(queries, { queryKey: aboutOne('a'), queryFn });
  const stop = watching.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(100);
  state = 'after';
  source.say(change);
  await vi.advanceTimersByTimeAsync(1000);
  expect(watching.getCurrentResult().data).toBe('before');
  await vi.advanceTimersByTimeAsync(1000);
  expect(watching.getCurrentResult().data).toBe('after');
  stop();
});

test('an answer that is an error is not the end of it', async () => {
  const sources: Source[] = [];
  using _live = new LiveEvents(new QueryClient(), () => {
    const source = new Source();
    sources.push(source);
    return source as unknown as EventSource;
  });
  sources[0]?.fail();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sources).toHaveLength(2);
});
