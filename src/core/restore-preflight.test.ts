import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DataOutside } from './data-outside.ts';
import {
  choosePrepared,
  gatherRestoreFacts,
  judgeRestore,
  preflightRestore,
  type RestoreFacts,
  type RestoreWish,
} from './restore-preflight.ts';

const wish: RestoreWish = {
  target: '/srv/data',
  isInPlace: false,
  neededBytes: 1000,
  backup: { vendor: 'MariaDB', version: '10.11.19-MariaDB', engine: 'mariadb-backup' },
  server: { vendor: 'MariaDB', version: '10.11.19-MariaDB' },
  tool: { name: 'mariadb-backup', version: '10.11.19' },
  canStop: false,
};
const facts: RestoreFacts = {
  state: 'absent',
  names: [],
  isFilledInside: false,
  freeBytes: 1050,
  isWritable: true,
  canGive: true,
  runningServer: undefined,
  leftovers: [],
};
const server = { pid: 7, command: 'mariadbd', path: '/srv/data/ibdata1' };
const unproven = { vendor: 'MySQL', version: '8.0.40' } as const;

const away: DataOutside = { what: 'tables', path: '/fast/t.MAD', handling: { kind: 'stay' } };

const cases: readonly [string, Partial<RestoreWish>, Partial<RestoreFacts>, readonly string[]][] = [
  ['all is well', {}, {}, []],
  ['the slack is missing', {}, { freeBytes: 1049 }, ['space-missing']],
  ['the target holds data', {}, { state: 'data', names: ['ibdata1'] }, ['target-not-empty']],
  ['the target holds data that may move', { isInPlace: true }, { state: 'data' }, []],
  ['the target is a file', {}, { state: 'no-directory' }, ['target-no-directory']],
  ['a server runs', { isInPlace: true }, { state: 'data', runningServer: server }, ['server-running']],
  [
    'a server runs and can be stopped',
    { isInPlace: true, canStop: true },
    { state: 'data', runningServer: server },
    [],
  ],
  ['a server runs and nobody asked to replace it', { canStop: true }, { runningServer: server }, ['server-running']],
  ['nothing may be written', {}, { isWritable: false }, ['target-not-writable']],
  ['files may not be given away', {}, { canGive: false }, ['ownership-refused']],
  ['files cannot be given to the server beside, which is no reason against it', { serverUser: 999 }, {}, []],
  ['the tool is missing', { tool: undefined }, {}, ['tool-missing']],
  ['tables are in no backup', { isInPlace: true, outside: [away] }, { state: 'data' }, ['aria-behind-links']],
  [
    'tables are in no backup, and may be missing',
    { isInPlace: true, outside: [away], acceptsMissingTables: true },
    { state: 'data' },
    [],
  ],
  ['the server is older', { server: { vendor: 'MariaDB', version: '10.6.1-MariaDB' } }, {}, ['version-downgrade']],
  ['no guard is proven, and none is needed', { backup: { ...wish.backup, ...unproven }, server: unproven }, {}, []],
  [
    'no guard is proven',
    { backup: { ...wish.backup, ...unproven }, server: undefined, isInPlace: true },
    { state: 'data' },
    ['guard-unknown'],
  ],
  [
    'no guard is proven for a mount point',
    { backup: { ...wish.backup, ...unproven }, server: undefined },
    { state: 'empty', isFilledInside: true },
    ['guard-unknown'],
  ],
];

test.each(cases)('when %s', (...[, moreWish, moreFacts, expected]) => {
  const findings = judgeRestore({ ...wish, ...moreWish }, { ...facts, ...moreFacts });
  const errors = findings.filter(({ level }) => level === 'error');
  expect(errors.map(({ code }) => code)).toEqual(expected);
  expect(errors.every(({ nextStep }) => nextStep?.endsWith('.'))).toBe(true);
});

test('where nobody could say whether the server keeps data outside its data directory, that is told', () => {
  const codes = (more: Partial<RestoreWish>): string[] =>
    judgeRestore({ ...wish, isInPlace: true, ...more }, { ...facts, state: 'data' }).map(({ code }) => code);
  expect(codes({})).toContain('places-unknown');
  expect(codes({ outside: [] })).not.toContain('places-unknown');
});

test('that nobody starts the server afterwards is told where it is replaced', () => {
  const codes = (more: Partial<RestoreWish>): string[] =>
    judgeRestore({ ...wish, ...more }, facts).map(({ code }) => code);
  expect(codes({ isInPlace: true })).toContain('server-not-started');
  expect(codes({ isInPlace: true, canStop: true })).not.toContain('server-not-started');
  expect(codes({})).not.toContain('server-not-started');
});

describe('facts of a real directory', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-preflight-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  test('that is absent, empty, filled, and no directory', async () => {
    const target = join(root, 'data');
    expect(await gatherRestoreFacts(target)).toMatchObject({
      state: 'absent',
      isFilledInside: false,
      isWritable: true,
      canGive: true,
    });
    await mkdir(join(target, '.holdfast-restore-1'), { recursive: true });
    expect(await gatherRestoreFacts(target)).toMatchObject({ state: 'empty' });
    await writeFile(join(target, 'ibdata1'), '');
    expect(await gatherRestoreFacts(target)).toMatchObject({
      state: 'data',
      names: ['ibdata1'],
      freeBytes: expect.any(Number),
    });
    expect(await gatherRestoreFacts(join(target, 'ibdata1'))).toMatchObject({ state: 'no-directory' });
  });

  test('what other restores left beside it is pointed out', async () => {
    await mkdir(join(root, '.holdfast-restore-r1'));
    const findings = await preflightRestore({ ...wish, target: join(root, 'data'), neededBytes: 1 });
    expect(findings).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        message: expect.stringContaining(join(root, '.holdfast-restore-r1')),
      }),
    );
  });

  test('more than any disk has is missing', async () => {
    const findings = await preflightRestore({ ...wish, target: join(root, 'data'), neededBytes: 1e18 });
    expect(findings.find(({ level }) => level === 'error')).toMatchObject({ code: 'space-missing' });
  });

  test('files are prepared beside a directory, and inside a mount point', async () => {
    await mkdir(join(root, 'data'));
    await mkdir(join(root, 'mounted', 'lost+found'), { recursive: true });
    expect(await choosePrepared(join(root, 'data'), 'r1')).toBe(join(root, '.holdfast-restore-r1'));
    expect(await choosePrepared(join(root, 'mounted'), 'r1')).toBe(join(root, 'mounted', '.holdfast-restore-r1'));
    expect(await choosePrepared('/proc', 'r1')).toBe('/proc/.holdfast-restore-r1');
  });
});
