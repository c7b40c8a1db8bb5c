import { expect, test } from 'vitest';
import type { Clock } from '../lib/clock.ts';
import { MemoryStorage } from './memory.ts';

test('lists lag behind as told, reads do not', async () => {
  let time = 1000;
  const clock: Clock = { now: () => time, elapsed: () => time, sleep: async () => {} };
  const storage = new MemoryStorage({ clock, listLagMs: 100 });
  const listed = async () => (await Array.fromAsync(storage.list(''))).map(({ key, size }) => `${key} ${size}`);
  await storage.put('a', Buffer.alloc(1));
  expect(await listed()).toEqual([]);
  expect(await storage.get('a')).toHaveLength(1);
  time = 1100;
  expect(await listed()).toEqual(['a 1']);
  await storage.put('a', Buffer.alloc(2));
  await storage.delete(['a']);
  expect(await listed()).toEqual(['a 1']);
  time = 1199;
  expect(await listed()).toEqual(['a 1']);
  time = 1200;
  expect(await listed()).toEqual([]);
});

test('stamps by its own clock, and may ignore "if absent"', async () => {
  const clock: Clock = { now: () => 42, elapsed: () => 42, sleep: async () => {} };
  const storage = new MemoryStorage({ clock, ignoreIfAbsent: true });
  await storage.put('a', Buffer.from('1'), { ifAbsent: true });
  expect(await storage.put('a', Buffer.from('2'), { ifAbsent: true })).toBe('stored');
  const [object] = await Array.fromAsync(storage.list(''));
  expect(object?.modified.getTime()).toBe(42);
});
