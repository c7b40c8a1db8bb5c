import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contents, fillWith } from '../../tests/support/placement-lab.ts';
import { smallDisk } from '../../tests/support/tmpfs.ts';
import type { Area } from './areas.ts';
import { forgetSpread, removeSpread, spreadAreas } from './spread-areas.ts';
import { type TableLink, takeOutTableLinks } from './table-links.ts';

const signal = new AbortController().signal;

describe('what was prepared for other directories', () => {
  let root: string;
  let prepared: string;
  let target: string;
  let log: string[];
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'hf-spread-'));
    [prepared, target, log] = [join(root, '.holdfast-restore-r1'), join(root, 'data'), []];
    await fillWith(root, {
      'undo/undo001': 'old',
      'undo/notes': '',
      'fast/app/t.ibd': 'old',
      'fast/app/theirs.ibd': 'theirs',
    });
    await fillWith(target, { ibdata1: 'old', 'app/t.isl': join(root, 'fast', 'app', 't.ibd') });
    await fillWith(prepared, {
      ibdata1: 'new system',
      undo001: 'new undo',
      ib_logfile0: 'new redo',
      'app/t.ibd': 'new t',
      'app/dropped.ibd': 'new dropped',
      'app/theirs.ibd': 'new theirs',
      'shop/d.ibd': 'new d',
    });
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const spread = async (told: readonly string[], more: { undo?: string; signal?: AbortSignal } = {}) => {
    for (const path of told) {
      const [database = '', table = ''] = path
        .replace(/\.ibd$/, '')
        .split('/')
        .slice(-2);
      await writeFile(join(prepared, database, `${table}.isl`), path);
    }
    const links: readonly TableLink[] = await takeOutTableLinks(prepared);
    const fast = join(root, 'fast', 'app');
    const areas: Area[] = [
      { directory: more.undo ?? join(root, 'undo'), owned: [{ kind: 'undo' }] },
      { directory: fast, owned: [{ kind: 'tables', told: fast }] },
    ];
    return spreadAreas({ prepared, id: 'r1', target, areas, links, signal, onLog: (line) => log.push(line), ...more });
  };
  const inFast = (name: string): string => join(root, 'fast', 'app', name);

  test('is brought there, and every table there has its link again', async () => {
    const areas = await spread([inFast('t.ibd'), inFast('dropped.ibd')]);
    expect(await contents(areas[0]?.prepared ?? '')).toEqual({ undo001: 'new undo' });
    expect(await contents(areas[1]?.prepared ?? '')).toEqual({ 't.ibd': 'new t', 'dropped.ibd': 'new dropped' });
    expect(await contents(prepared)).toMatchObject({
      ib_logfile0: 'new redo',
      'app/t.isl': inFast('t.ibd'),
      'app/dropped.isl': inFast('dropped.ibd'),
    });
    expect(await readdir(join(prepared, 'app'))).not.toContain('t.ibd');
    expect(log).toEqual([]);
    // What is there was not touched.
    expect(await contents(join(root, 'undo'))).toMatchObject({ undo001: 'old', notes: '' });
  });

  test.each([
    ['a directory that this server does not use', () => join(root, 'elsewhere', 'app', 't.ibd'), 't'],
    ['a directory that is used, by another way', () => join(root, 'fast', '..', 'fast', 'x', 'app', 't.ibd'), 't'],
    ['a name that another one has there', () => inFast('theirs.ibd'), 'theirs'],
  ])('stays in the data directory, and that is told, where the backup names %s', async (_what, path, table) => {
    await spread([path()]);
    expect(await contents(prepared)).toHaveProperty(`app/${table}.ibd`);
    expect(await contents(prepared)).not.toHaveProperty(`app/${table}.isl`);
    expect(await contents(join(root, 'fast', 'app'))).toEqual({ 't.ibd': 'old', 'theirs.ibd': 'theirs' });
    expect(log).toEqual([expect.stringContaining(`app/${table}.ibd is restored into ${target}`)]);
  });

  test('by a list, as of MySQL, needs no link, and goes there under the name that its file has there', async () => {
    await fillWith(prepared, { 'ts.ibd': 'new space', '#innodb_redo/#ib_redo1': 'new redo', 'more.ibu': 'new undo' });
    const fast = join(root, 'fast', 'app');
    const areas = await spreadAreas({
      prepared,
      id: 'r1',
      target,
      areas: [
        { directory: join(root, 'undo'), owned: [{ kind: 'mysql-undo' }, { kind: 'mysql-redo' }] },
        { directory: fast, owned: [{ kind: 'tablespaces', told: fast, others: ['theirs.ibd'] }] },
      ],
      links: [
        { database: 'app', table: 't', path: inFast('t.ibd'), file: 'app/t.ibd' },
        { database: '', table: 'space', path: inFast('space.ibd'), file: 'ts.ibd' },
        { database: 'app', table: 'theirs', path: inFast('theirs.ibd'), file: 'app/theirs.ibd' },
        { database: 'shop', table: 'd', path: '/elsewhere/shop/d.ibd', file: 'shop/d.ibd' },
      ],
      signal,
      onLog: (line) => log.push(line),
    });
    expect(await contents(areas[0]?.prepared ?? '')).toEqual({
      'more.ibu': 'new undo',
      '#innodb_redo/#ib_redo1': 'new redo',
    });
    expect(await contents(areas[1]?.prepared ?? '')).toEqual({ 't.ibd': 'new t', 'space.ibd': 'new space' });
    expect(Object.keys(await contents(prepared)).filter((name) => name.endsWith('.isl'))).toEqual([]);
    expect(log.map((line) => line.split(' ')[0])).toEqual(['app/theirs.ibd', 'shop/d.ibd']);
  });

  test('is removed again from where a killed restore brought it, and nothing else', async () => {
    await spread([inFast('t.ibd')]);
    await removeSpread(prepared, 'r1');
    expect(await readdir(join(root, 'undo'))).toEqual(['notes', 'undo001']);
    expect(await contents(join(root, 'fast', 'app'))).toEqual({ 't.ibd': 'old', 'theirs.ibd': 'theirs' });
    expect((await readdir(root)).filter((name) => name.startsWith('.holdfast-areas'))).toEqual([]);
    await removeSpread(prepared, 'r1');
  });

  test('stays where it is when it is for people', async () => {
    await spread([inFast('t.ibd')]);
    await forgetSpread(prepared);
    await removeSpread(prepared, 'r1');
    expect(await readFile(join(root, 'undo', '.holdfast-restore-r1-part', 'undo001'), 'utf8')).toBe('new undo');
  });

  test('is copied to another file system while there is room', async ({ skip }) => {
    using disk = smallDisk('1m', skip);
    await mkdir(join(disk.path, 'undo'));
    await writeFile(join(prepared, 'undo001'), Buffer.alloc(600_000, 7));
    const [undo] = await spread([], { undo: join(disk.path, 'undo') });
    expect((await readFile(join(undo?.prepared ?? '', 'undo001'))).equals(Buffer.alloc(600_000, 7))).toBe(true);
    expect(await readdir(prepared)).not.toContain('undo001');
  });

  test('is copied with all that is in it where it is a directory', async ({ skip }) => {
    using disk = smallDisk('1m', skip);
    await fillWith(prepared, { '#innodb_redo/#ib_redo1': 'one', '#innodb_redo/#ib_redo2_tmp': 'two' });
    const areas: Area[] = [{ directory: disk.path, owned: [{ kind: 'mysql-redo' }] }];
    const options = { prepared, id: 'r1', target, areas, links: [], signal, onLog: () => undefined };
    const [redo] = await spreadAreas(options);
    expect(await contents(redo?.prepared ?? '')).toEqual({
      '#innodb_redo/#ib_redo1': 'one',
      '#innodb_redo/#ib_redo2_tmp': 'two',
    });
    expect(await readdir(prepared)).not.toContain('#innodb_redo');
  });

  test('needs room there before anything is copied', async ({ skip }) => {
    using disk = smallDisk('1m', skip);
    await writeFile(join(prepared, 'undo001'), Buffer.alloc(1_200_000));
    await expect(spread([], { undo: disk.path })).rejects.toMatchObject({
      code: 'space-missing',
      message: expect.stringContaining(disk.path),
    });
    expect(await readdir(disk.path)).toEqual([]);
  });
});
