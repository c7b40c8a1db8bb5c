import { describe, expect, test } from 'vitest';
import { collect, type CollectionFacts, type SettledBackup, tablesNeeded } from './collect.ts';
import { newNoteKey } from './names.ts';

const HOUR = 3600_000;
const NOW = 1000 * HOUR;
const [A, B, C] = ['20261101T000000Z-aaaaaaaa', '20261102T000000Z-bbbbbbbb', '20261103T000000Z-cccccccc'];

interface Story {
  readonly backup: string;
  /** Hours ago; by attempt. */
  readonly begun: Record<string, number>;
  readonly sealed?: number;
  readonly sealedBy?: string;
  readonly voided?: number;
  readonly deleted?: number | undefined;
  readonly segments?: readonly string[];
  readonly table?: readonly string[];
}

function factsOf(stories: readonly Story[], options: { conditionalPut?: boolean } = {}): CollectionFacts {
  const ago = (hours: number): number => NOW - hours * HOUR;
  const has = <T>(list: readonly (readonly [string, T | undefined])[]): [string, T][] =>
    list.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as [string, T]]));
  const begun = stories.map(({ backup, begun: attempts }) => {
    return [backup, Object.entries(attempts).map(([attempt, at]) => ({ attempt, at: ago(at) }))] as const;
  });
  const settled = stories.map(({ backup, sealed, sealedBy = 'a1', voided }): [string, SettledBackup | undefined] => {
    if (sealed !== undefined) return [backup, { state: 'sealed', at: ago(sealed), attempt: sealedBy }];
    return [backup, voided === undefined ? undefined : { state: 'void', at: ago(voided) }];
  });
  const objects = stories.flatMap(({ segments = [] }) =>
    segments.map((name) => [`backups/${name}.segment`, 10] as const),
  );
  return {
    now: NOW,
    conditionalPut: options.conditionalPut ?? true,
    begun: new Map(begun.filter(([, attempts]) => attempts.length > 0)),
    deleted: new Map(has(stories.map(({ backup, deleted }) => [backup, deleted && ago(deleted)]))),
    settled: new Map(has(settled)),
    tables: new Map(has(stories.map(({ backup, table }) => [backup, table]))),
    objects: new Map(objects),
  };
}

function segment(backup: string, number: number): string {
  return `${backup}/0123abcd-00000${number}`;
}

const [a1, a2, b1] = [segment(A, 1), segment(A, 2), segment(B, 1)];
const old: Story = { backup: A, begun: { a1: 100 }, sealed: 99, deleted: 30, segments: [a1, a2], table: [a1, a2] };

describe('what goes', () => {
  test.each<[string, Story[], { goes: string[]; waits: string[] }]>([
    ['all of a backup deleted a day ago', [old], { goes: [a1, a2], waits: [] }],
    [
      'nothing of one deleted 23 hours ago',
      [{ ...old, deleted: 23 }],
      { goes: [], waits: ['its 24 hours are not over'] },
    ],
    ['nothing of one that is not deleted', [{ ...old, deleted: undefined }], { goes: [], waits: [] }],
    [
      'all but what another one needs',
      [old, { backup: B, begun: { a1: 50 }, sealed: 49, table: [a2, b1] }],
      { goes: [a1], waits: [] },
    ],
    [
      'also what a backup deleted this hour needs stays',
      [old, { backup: B, begun: { a1: 50 }, sealed: 49, deleted: 1, table: [a2, b1] }],
      { goes: [a1], waits: ['its 24 hours are not over'] },
    ],
    [
      'nothing while one that began before the mark is not settled',
      [old, { backup: C, begun: { a1: 31 } }],
      { goes: [], waits: [`backup ${C} began before and is not settled`] },
    ],
    [
      'nothing while one that began up to an hour after the mark is not settled',
      [old, { backup: C, begun: { a1: 29.5 } }],
      { goes: [], waits: [`backup ${C} began before and is not settled`] },
    ],
    [
      'all though one that began later is not settled',
      [old, { backup: C, begun: { a1: 28 } }],
      { goes: [a1, a2], waits: [] },
    ],
    [
      'nothing while an early attempt is not settled, however late its latest began',
      [old, { backup: C, begun: { a1: 50, a2: 3 } }],
      { goes: [], waits: [`backup ${C} began before and is not settled`] },
    ],
    [
      'all though one that was deleted itself never settled',
      [old, { backup: C, begun: { a1: 31 }, deleted: 2 }],
      { goes: [a1, a2], waits: ['its 24 hours are not over'] },
    ],
    [
      'all though one that began before is void',
      [old, { backup: C, begun: { a1: 31 }, voided: 2 }],
      { goes: [a1, a2], waits: ['its 24 hours are not over'] },
    ],
    [
      'what a void backup left',
      [{ backup: A, begun: { a1: 100 }, voided: 25, segments: [a1] }],
      { goes: [a1], waits: [] },
    ],
    [
      'what a late writer left of a backup of which only the mark is left',
      [{ backup: A, begun: {}, deleted: 100, segments: [a1] }],
      { goes: [a1], waits: [] },
    ],
    [
      'nothing of a backup that is being made',
      [{ backup: A, begun: { a1: 100 }, segments: [a1] }],
      { goes: [], waits: [] },
    ],
  ])('%s', (_name, stories, { goes, waits }) => {
    const { steps, waiting } = collect(factsOf(stories));
    expect(steps[0]?.map(({ key }) => key)).toEqual(goes.map((name) => `backups/${name}.segment`));
    expect(waiting.map(({ reason }) => reason)).toEqual(waits);
  });

  test('only then what says that it began, and after that the seal; the mark stays', () => {
    const { steps, bytes } = collect(factsOf([{ ...old, segments: [] }]));
    expect(steps.map((step) => step.map(({ key }) => key))).toEqual([[], [`begun/${A}/a1.json`], [`seals/${A}.json`]]);
    expect(bytes).toBe(0);
  });

  test('a void seal stays', () => {
    const { steps } = collect(factsOf([{ backup: A, begun: { a1: 100 }, voided: 25 }]));
    expect(steps.map((step) => step.map(({ key }) => key))).toEqual([[], [`begun/${A}/a1.json`], []]);
  });

  test('a note about a bad segment stays as long as the segment', () => {
    const note = newNoteKey(A, { kind: 'bad-segment', nowMs: 0 });
    const other = newNoteKey(A, { kind: 'checked', nowMs: 0 });
    const facts = factsOf([old, { backup: B, begun: { a1: 50 }, sealed: 49, table: [a2] }]);
    const { remove } = collect({ ...facts, objects: new Map([...facts.objects, [note, 5], [other, 5]]) });
    expect(remove.map(({ key }) => key).toSorted()).toEqual([`backups/${a1}.segment`, other]);
  });
});

describe('a store that ignores "if absent"', () => {
  const retried = (begunAgo: number): Story[] => [
    old,
    { backup: C, begun: { a1: 60, a2: begunAgo }, sealed: 40, table: [] },
  ];

  test('an attempt that did not seal may still do so for seven days', () => {
    expect(collect(factsOf(retried(59), { conditionalPut: false })).steps[0]).toEqual([]);
    expect(collect(factsOf(retried(59))).steps[0]).toHaveLength(2);
    const later = retried(24 * 7 + 1).map((story) => ({ ...story, sealed: 50 }));
    expect(collect(factsOf(later, { conditionalPut: false })).steps[0]).toHaveLength(2);
  });
});

test('the tables of all sealed backups but dead ones are needed', () => {
  const stories = [
    old,
    { backup: B, begun: { a1: 50 }, sealed: 49, deleted: 2 },
    { backup: C, begun: { a1: 50 }, sealed: 49 },
  ];
  expect(tablesNeeded(factsOf(stories))).toEqual([B, C]);
  expect(() => collect(factsOf(stories))).toThrow(RangeError);
});
