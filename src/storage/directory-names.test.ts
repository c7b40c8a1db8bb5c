import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pathOfKey, segmentOfName } from './directory-names.ts';

const segment = fc
  .string({
    unit: fc.constantFrom('a', '.', '%', '2', '5', 'E', 'B', '+', 'lost+found', 'é', ' '),
    minLength: 1,
    maxLength: 6,
  })
  .filter((text) => text !== '.' && text !== '..');

test('every segment has a name of its own and is read back from it', () => {
  fc.assert(
    fc.property(segment, (text) => {
      const name = pathOfKey(text);
      expect(name).not.toMatch(/^\.|^lost\+found$/);
      expect(segmentOfName(name)).toBe(text);
    }),
    { numRuns: 2000 },
  );
});

test('no two names are read as the same segment', () => {
  fc.assert(
    fc.property(segment, (name) => {
      const text = segmentOfName(name);
      if (text !== undefined) expect(pathOfKey(text)).toBe(name);
    }),
    { numRuns: 2000 },
  );
});

test('ordinary keys are their own path', () => {
  const key = 'backups/2026-11-21T02-00-00Z-a1b2/3f-17.segment';
  expect(pathOfKey(key)).toBe(key);
});
