import { expect, test } from 'vitest';
import type { Note } from '../repository/documents.ts';
import { isPinned, proofOf } from './proof.ts';

const sealed = { sealedAt: '2026-11-01T00:00:00.000Z' };
const day = (number: number): string => `2026-11-${String(number).padStart(2, '0')}T00:00:00.000Z`;
const checked = (at: number): Note => ({ kind: 'checked', at: day(at), bytes: 1, blocks: 1 });
const proven = (at: number): Note => ({ kind: 'proven', at: day(at), steps: [], tables: 1, serverVersion: '10.11' });
const failed = (at: number): Note => ({ kind: 'failed-proof', at: day(at), reason: 'no start' });
const bad = (at: number): Note => ({ kind: 'bad-segment', at: day(at), segment: 's', reason: 'flipped' });
const pinned = (at: number): Note => ({ kind: 'pinned', at: day(at), reason: '' });
const unpinned = (at: number): Note => ({ kind: 'unpinned', at: day(at), reason: '' });

test.each([
  ['nothing was learnt', [], { level: 'sealed', at: sealed.sealedAt }],
  ['read back', [checked(2)], { level: 'checked', at: day(2) }],
  ['proven before it was checked', [checked(5), proven(2)], { level: 'proven', at: day(2) }],
  ['proven twice', [proven(7), proven(2)], { level: 'proven', at: day(7) }],
  ['failed', [proven(2), failed(3)], { level: 'failed', at: day(3), reason: 'no start' }],
  ['failed, then checked', [failed(3), checked(4)], { level: 'failed', at: day(3), reason: 'no start' }],
  ['failed, then proven', [failed(3), proven(4)], { level: 'proven', at: day(4) }],
  ['gone bad', [checked(2), proven(3), bad(4)], { level: 'damaged', at: day(4), reason: 'flipped' }],
  ['bad, and good again', [bad(4), checked(5)], { level: 'checked', at: day(5) }],
] as const)('%s', (_, notes, proof) => {
  expect(proofOf(sealed, notes)).toEqual(proof);
  expect(proofOf(sealed, notes.toReversed())).toEqual(proof);
});

test('the last word on pinning counts', () => {
  expect(
    [[], [pinned(1)], [pinned(1), unpinned(2)], [unpinned(2), pinned(3), pinned(1)]].map((notes) => isPinned(notes)),
  ).toEqual([false, true, false, true]);
});
