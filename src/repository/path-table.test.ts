import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparePaths } from './file-page.ts';
import { PathTable } from './path-table.ts';

const path = fc.string({
  unit: fc.constantFrom('a', 'b', '/', '#', 'é', '\u{fffd}', '\u{1f600}'),
  minLength: 1,
  maxLength: 6,
});

test('a path is found by the number that it got, any other is not, and their order is that of their bytes', () => {
  fc.assert(
    fc.property(fc.uniqueArray(path, { maxLength: 40 }), fc.array(path, { maxLength: 10 }), (paths, others) => {
      const table = new PathTable();
      expect(paths.map((each) => table.add(each))).toEqual(paths.map((_, number) => number));
      expect(paths.map((each) => table.find(each))).toEqual(paths.map((_, number) => number));
      for (const other of others)
        expect(table.find(other)).toBe(paths.includes(other) ? paths.indexOf(other) : undefined);
      expect(table.sorted().map((number) => table.pathOf(number))).toEqual(paths.toSorted(comparePaths));
    }),
  );
});

test('it grows', () => {
  const table = new PathTable();
  const paths = Array.from({ length: 5000 }, (_, number) => `db/table ${number}.ibd`);
  for (const each of paths) table.add(each);
  expect(paths.map((each) => table.find(each))).toEqual(paths.map((_, number) => number));
  expect(table.find('db/table 5000.ibd')).toBeUndefined();
  expect(() => table.add('db/table 7.ibd')).toThrow('is there already');
});
