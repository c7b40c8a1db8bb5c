import fc from 'fast-check';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type PlannedRun, RestorePlan } from './restore-plan.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-plan-test-'));
});
afterEach(async () => rm(directory, { recursive: true }));

const SEGMENTS = 1300;
const run: fc.Arbitrary<PlannedRun> = fc.record({
  segment: fc.nat({ max: SEGMENTS - 1 }),
  frameOffset: fc.nat({ max: 2 ** 25 }),
  frameLength: fc.nat({ max: 2 ** 20 }),
  plainOffset: fc.nat({ max: 2 ** 20 }),
  file: fc.nat({ max: 100_000 }),
  firstBlock: fc.nat({ max: 2 ** 31 }),
  ids: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((id) => Buffer.from(id)),
});

function textOf({ ids, ...rest }: PlannedRun): string {
  return JSON.stringify({ ...rest, ids: ids.toString('hex') });
}

test('a plan gives back every run, by segment and in the order of frames, in memory or on disk', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(run, { maxLength: 200 }),
      fc.constantFrom(1, 500, 5000, undefined),
      async (runs, memoryBytes) => {
        await using plan = new RestorePlan({
          directory,
          segments: SEGMENTS,
          ...(memoryBytes === undefined ? {} : { memoryBytes }),
        });
        for (const each of runs) await plan.add(each);
        const found: PlannedRun[] = [];
        let before = -1;
        for await (const { segment, runs: ofSegment } of plan.segments()) {
          expect(segment).toBeGreaterThan(before);
          before = segment;
          const offsets = ofSegment.map(({ frameOffset }) => frameOffset);
          expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
          expect(ofSegment.every((each) => each.segment === segment)).toBe(true);
          found.push(...ofSegment);
        }
        expect(found.map((each) => textOf(each)).toSorted()).toEqual(runs.map((each) => textOf(each)).toSorted());
      },
    ),
    { numRuns: 40 },
  );
  expect(await readdir(directory), 'what was spilled is removed').toEqual([]);
});
