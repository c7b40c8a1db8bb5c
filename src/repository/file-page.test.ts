import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparePaths, isSafePath, paginate } from './file-page.ts';

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { maxLength: 400 });
const self = (name: string): string => name;

describe('pages', () => {
  test('hold everything in order', () => {
    fc.assert(
      fc.property(names, (unsorted) => {
        const sorted = unsorted.toSorted(comparePaths);
        expect([...paginate(sorted, self)].flat()).toEqual(sorted);
      }),
    );
  });

  test('a name more or less changes few of them', () => {
    const sorted = Array.from({ length: 5000 }, (_, number) => `db/table_${number}.ibd`).toSorted(comparePaths);
    const before = new Set([...paginate(sorted, self)].map((page) => page.join('\n')));
    for (const at of [0, 1234, 4999]) {
      const after = [...paginate(sorted.toSpliced(at, 1), self)].map((page) => page.join('\n'));
      // Behind the cut that moved, pages meet the old cuts again.
      expect(after.filter((page) => !before.has(page)).length).toBeLessThan(8);
    }
    expect(before.size).toBeGreaterThan(20);
  });

  test('are at most 1024 long, whatever the names are', () => {
    const same = Array.from({ length: 3000 }, () => 'a');
    expect(Math.max(...[...paginate(same, self)].map((page) => page.length))).toBeLessThanOrEqual(1024);
  });
});

test.each(['a', 'a/b', 'ü/#sql-1.ibd', '...', 'a..b', ' ', 'x'.repeat(511)])('%j is a path', (path) => {
  expect(isSafePath(path)).toBe(true);
});

test.each(['', '/', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/..', 'a/./b', 'a\0', 'ü'.repeat(256)])(
  '%j is none',
  (path) => {
    expect(isSafePath(path)).toBe(false);
  },
);
