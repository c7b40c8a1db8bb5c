import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { walkDirectory } from './directory-walk.ts';
import { compareKeys } from './key.ts';

const part = fc.constantFrom('a', 'a-b', 'a.b', 'b', 'B', 'é', '\u{1f600}', 'z');
const keys = fc.uniqueArray(
  fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
  { maxLength: 25 },
);

test('a folder larger than what is held at once is walked in order, from any prefix and behind any key', async () => {
  await fc.assert(
    fc.asyncProperty(
      keys,
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom('', 'a', 'a/', 'a/b', 'z/'),
      async (all, namesAtOnce, prefix) => {
        const root = await mkdtemp(join(tmpdir(), 'hf-walk-'));
        try {
          const files = all.filter((key) => !all.some((other) => other.startsWith(`${key}/`)));
          for (const key of files) {
            await mkdir(dirname(join(root, key)), { recursive: true });
            await writeFile(join(root, key), '');
          }
          for (const after of [undefined, files[0], 'a/']) {
            const found = await Array.fromAsync(walkDirectory({ root, prefix, after, namesAtOnce }));
            const expected = files.filter(
              (key) => key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0),
            );
            expect(found.map(({ key }) => key)).toEqual(expected.toSorted(compareKeys));
          }
        } finally {
          await rm(root, { recursive: true });
        }
      },
    ),
    { numRuns: 60 },
  );
});
