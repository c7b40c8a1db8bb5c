import { expect, test } from 'vitest';
import { releaseIfAlone, releaseMemory } from './release-memory.ts';

test('a large buffer is empty afterwards', () => {
  const large = Buffer.alloc(1 << 20, 1);
  releaseMemory(large.subarray(5));
  expect(large.length).toBe(0);
});

test.for([releaseMemory, releaseIfAlone])('small buffers, which share memory with others, stay: $name', (release) => {
  const [small, neighbour] = [Buffer.from('abc'), Buffer.from('def')];
  release(small);
  expect([small.toString(), neighbour.toString()]).toEqual(['abc', 'def']);
});

test('a buffer that is alone in its memory is empty afterwards, one that is a part of it or shared with threads is not', () => {
  const alone = Buffer.allocUnsafeSlow(100);
  const part = Buffer.allocUnsafeSlow(1 << 20).subarray(0, 1 << 19);
  const shared = Buffer.from(new SharedArrayBuffer(10));
  for (const buffer of [alone, part, shared]) releaseIfAlone(buffer);
  expect([alone.length, part.length, shared.length]).toEqual([0, 1 << 19, 10]);
});
