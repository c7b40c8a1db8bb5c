import { describe, expect, test } from 'vitest';
import type { DataOutside } from './data-outside.ts';
import { type AreaFacts, judgeOutside } from './outside-preflight.ts';

const undo: DataOutside = {
  what: 'undo logs',
  path: '/undo',
  handling: { kind: 'exchange', owned: [{ kind: 'undo' }] },
};
const logs: DataOutside = {
  what: 'binary logs',
  path: '/logs',
  handling: { kind: 'exchange', owned: [{ kind: 'log', base: 'bin' }] },
};
const system: DataOutside = {
  what: 'system tablespace',
  path: '/fast',
  handling: { kind: 'refuse', why: 'it guards' },
};
const good: AreaFacts = {
  directory: '/undo',
  isThere: true,
  isWritable: true,
  device: undefined,
  freeBytes: 10,
  heldBytes: 50,
  leftovers: [],
};

describe('data outside the data directory', () => {
  const judge = (outside: readonly DataOutside[], facts: readonly AreaFacts[] = []) =>
    judgeOutside('/data', outside, facts);

  test('that is none is good', () => {
    expect(judge([])).toMatchObject([{ level: 'ok', code: 'data-together' }]);
  });

  test('is told with what becomes of it, each place by itself', () => {
    const found = judge([undo, logs], [good, { ...good, directory: '/logs' }]);
    expect(found).toMatchObject([
      {
        level: 'ok',
        code: 'outside-exchanged',
        message: expect.stringMatching(/undo logs in \/undo .*restored ones go there/),
      },
      {
        level: 'ok',
        code: 'outside-exchanged',
        message: expect.stringMatching(/binary logs in \/logs .*begins new ones/),
      },
    ]);
  });

  test.each<[string, Partial<AreaFacts>, string]>([
    ['cannot be found', { isThere: false }, 'outside-missing'],
    ['may not be written', { isWritable: false }, 'outside-not-writable'],
    ['has too little room on a file system of its own', { device: 7, freeBytes: 49 }, 'outside-space-missing'],
  ])('keeps a restore from beginning where its directory %s', (_why, facts, code) => {
    const errors = judge([undo], [{ ...good, ...facts }]).filter(({ level }) => level === 'error');
    expect(errors).toMatchObject([{ code, message: expect.stringContaining('/undo') }]);
  });

  test('needs room once for all directories of one file system', () => {
    const facts = [good, { ...good, directory: '/fast/app' }].map((each) => ({ ...each, device: 7, freeBytes: 99 }));
    expect(judge([undo], facts).find(({ code }) => code === 'outside-space-missing')?.message).toContain(
      '/undo and /fast/app',
    );
    const roomy = facts.map((each) => ({ ...each, freeBytes: 100 }));
    expect(judge([undo], roomy).map(({ code }) => code)).toContain('outside-space');
  });

  test('that cannot be replaced keeps a restore from beginning, and is named with why', () => {
    const many = Array.from({ length: 12 }, (_, at) => ({ ...system, path: `/fast/${at}` }));
    const [finding, ...more] = judge(
      [undo, ...many, { ...system, path: '/x', handling: { kind: 'refuse', why: 'of that' } }],
      [good],
    );
    expect(finding).toMatchObject({ level: 'error', code: 'data-outside' });
    expect(finding?.message).toMatch(
      /tablespace in \/fast\/0, .* and 2 more: it guards; system tablespace in \/x: of that\.$/,
    );
    expect(more).toEqual([]);
  });

  test('behind links is something to mind', () => {
    const linked: DataOutside = { what: 'tables', path: '/other/shop', handling: { kind: 'stay' } };
    expect(judge([linked])).toMatchObject([
      { level: 'warning', code: 'links-replaced', message: expect.stringContaining('/other/shop') },
    ]);
  });

  test('behind links that the tool does not follow will be missing', () => {
    const linked: DataOutside = { what: 'tables', path: '/fast/a.MAD', handling: { kind: 'stay' } };
    expect(judge([linked])).toMatchObject([{ level: 'error', code: 'aria-behind-links' }]);
  });
});
