import { expect, test } from 'vitest';
import { releaseMemory } from './release-memory.ts';

test('a large buffer is empty afterwards', () => {
  const large = Buffer.alloc(1 << 20, 1);
  releaseMemory(large.subarray(5));
  expect(large.length).toBe(0);
});

test('small buffers, which share memory with others, stay as they are', () => {
  const [small, neighbour] = [Buffer.from('abc'), Buffer.from('def')];
  releaseMemory(small);
  expect([small.toString(), neighbour.toString()]).toEqual(['abc', 'def']);
});
