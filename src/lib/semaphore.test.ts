import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Semaphore } from './semaphore.ts';

test('lets no more in at once than it may, each in turn, also after one that failed', async () => {
  const semaphore = new Semaphore(3);
  const order: number[] = [];
  let inside = 0;
  let most = 0;
  const work = async (number: number): Promise<void> => {
    using _ = await semaphore.take();
    inside += 1;
    most = Math.max(most, inside);
    order.push(number);
    await sleep(1);
    inside -= 1;
    if (number % 5 === 0) throw new Error('on purpose');
  };
  await Promise.allSettled(Array.from({ length: 50 }, async (_, number) => work(number)));
  expect({ most, inside }).toEqual({ most: 3, inside: 0 });
  expect(order).toEqual(Array.from({ length: 50 }, (_, number) => number));
});
