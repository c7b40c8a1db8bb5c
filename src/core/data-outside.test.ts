import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { owns } from './areas.ts';
import { areasOf, dataOutside } from './data-outside.ts';

describe('data outside the data directory', () => {
  let root: string;
  let data: string;
  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'hf-outside-')));
    data = join(root, 'data');
    await mkdir(join(data, 'app'), { recursive: true });
    await writeFile(join(data, 'app', 't.ibd'), '');
  });
  afterEach(async () => rm(root, { recursive: true, force: true }));

  const found = async (variables: Record<string, string> = {}) =>
    (await dataOutside({ dataDirectory: data, variables, vendor: 'MariaDB' })).map(
      ({ what, path, handling }) => `${what} ${path.replace(root, '…')}: ${handling.kind}`,
    );

  test('is none with the settings that servers come with', async () => {
    expect(
      await found({
        innodb_data_home_dir: '',
        innodb_undo_directory: './',
        innodb_log_group_home_dir: './',
        innodb_data_file_path: 'ibdata1:12M:autoextend',
        aria_log_dir_path: `${data}/`,
        log_bin_basename: join(data, 'bin'),
        relay_log_basename: '',
        innodb_directories: '',
      }),
    ).toEqual([]);
  });

  test.each([
    ['innodb_data_home_dir', '…/fast', 'system tablespace …/fast: refuse'],
    ['innodb_undo_directory', '…/undo', 'undo logs …/undo: exchange'],
    ['innodb_undo_directory', '../undo', 'undo logs …/undo: exchange'],
    ['innodb_log_group_home_dir', '…/redo/', 'redo logs …/redo: exchange'],
    ['aria_log_dir_path', '…/aria', 'Aria logs …/aria: refuse'],
    ['log_bin_basename', '…/binlogs/bin', 'binary logs …/binlogs: exchange'],
    ['relay_log_basename', '…/relay/relay', 'relay logs …/relay: exchange'],
    ['innodb_data_file_path', 'ibdata1:12M;…/fast/ibdata2:50M:autoextend', 'system tablespace …/fast/ibdata2: refuse'],
    // A name that begins like the directory is another one.
    ['innodb_undo_directory', '…/data2', 'undo logs …/data2: exchange'],
  ])('is found by %s = %s', async (name, value, expected) => {
    expect(await found({ [name]: value.replace('…', root) })).toEqual([expected]);
  });

  test('is found by links and by what InnoDB keeps for tables elsewhere', async () => {
    for (const name of ['other', 'fast/app']) await mkdir(join(root, name), { recursive: true });
    await symlink(join(root, 'other'), join(data, 'shop'));
    await symlink(join(root, 'fast', 'm.MYD'), join(data, 'app', 'm.MYD'));
    await writeFile(join(data, 'app', 'u.isl'), join(root, 'fast', 'app', 'u.ibd'));
    await writeFile(join(data, 'app', 'w.isl'), join(root, 'fast', 'app', 'w.ibd'));
    await writeFile(join(root, 'other', 'x.isl'), join(root, 'far', 'shop', 'x.ibd'));
    await symlink(join(data, 'app'), join(data, 'alias'));
    expect((await found()).toSorted()).toEqual([
      'tables …/far/shop: exchange',
      'tables …/fast/app: exchange',
      'tables …/fast/m.MYD: stay',
      'tables …/other: stay',
    ]);
  });

  test('is none where the data directory itself is behind a link', async () => {
    await symlink(data, join(root, 'link'));
    const linked = await dataOutside({
      dataDirectory: join(root, 'link'),
      variables: { log_bin_basename: join(root, 'link', 'bin') },
      vendor: 'MariaDB',
    });
    expect(linked).toEqual([]);
  });

  test('that shares a directory is told apart by the names that this server uses', async () => {
    const outside = await dataOutside({
      dataDirectory: data,
      variables: {
        log_bin_basename: join(root, 'logs', 'bin'),
        log_bin_index: join(root, 'logs', 'names'),
        innodb_log_group_home_dir: join(root, 'logs'),
        innodb_undo_directory: join(root, 'undo'),
      },
      vendor: 'MariaDB',
    });
    const [logs, undo] = areasOf(outside).toSorted((a, b) => (a.directory < b.directory ? -1 : 1));
    expect(undo).toEqual({ directory: join(root, 'undo'), owned: [{ kind: 'undo' }] });
    const own = ['bin.000001', 'bin.1000000', 'bin.000001.idx', 'bin.index', 'bin.state', 'names', 'ib_logfile0'];
    const foreign = [
      'bin',
      'bin.00001',
      'bin.txt',
      'bin2.000001',
      'xbin.index',
      'binxindex',
      'names2',
      'undo001',
      'ibdata1',
      'ib_logfile',
    ];
    const isOwn = (name: string): boolean => owns(logs?.owned ?? [], name);
    expect({ own: own.filter(isOwn), foreign: foreign.filter(isOwn) }).toEqual({ own, foreign: [] });
  });

  test.each([
    ['a file of the server behind a link', async () => symlink(join(root, 'redo'), join(data, 'ib_logfile0')), {}],
    [
      'relay logs of connections with names',
      async () => writeFile(join(data, 'multi-master.info'), 'one\n'),
      { relay_log_basename: '/x/relay' },
    ],
  ])('is not exchanged where it cannot be told what it is: %s', async (_what, make, variables) => {
    await make();
    expect((await found(variables)).at(0)).toContain(': refuse');
  });

  describe('of MySQL', () => {
    const ofMysql = async (variables: Record<string, string>, tablespacesOutside?: readonly string[]) =>
      dataOutside({ dataDirectory: data, variables, vendor: 'MySQL', tablespacesOutside });
    const shown = (outside: Awaited<ReturnType<typeof ofMysql>>): string[] =>
      outside.map(({ what, path, handling }) => `${what} ${path.replace(root, '…')}: ${handling.kind}`).toSorted();
    const variables = (more: Record<string, string> = {}) => ({ innodb_directories: `${root}/fast`, ...more });

    test('has its own names for the files of InnoDB', async () => {
      const outside = await ofMysql({
        innodb_undo_directory: '/u',
        innodb_log_group_home_dir: '/r',
        innodb_doublewrite_dir: '/d',
      });
      const owned = Object.fromEntries(areasOf(outside).map((area) => [area.directory, area.owned]));
      const own = {
        '/u': ['undo_001', 'undo_127', 'more.ibu', 'undo_1_trunc.log'],
        '/r': ['#innodb_redo', 'undo_1_trunc.log'],
        '/d': ['#ib_16384_0.dblwr', '#ib_4096_12.dblwr', '#ib_16384_0.bdblwr'],
      };
      const foreign = ['undo001', 'undo_01', 'ib_logfile0', 'ibdata1', 'x.dblwr', '#innodb_redo2', 'a.ibd'];
      for (const [directory, names] of Object.entries(own)) {
        const isOwn = (name: string): boolean => owns(owned[directory] ?? [], name);
        expect({ own: names.filter(isOwn), foreign: foreign.filter(isOwn) }).toEqual({ own: names, foreign: [] });
      }
    });

    test('is found by its own list of tablespaces, and others beside them are told apart', async () => {
      await mkdir(join(root, 'fast', 'app'), { recursive: true });
      await mkdir(join(root, 'undo'));
      for (const name of ['t.ibd', 'theirs.ibd']) await writeFile(join(root, 'fast', 'app', name), '');
      const list = ['../fast/app/t.ibd', `${root}/undo/undo_001`, `${root}/fast/more.ibu`, `${data}/app/t.ibd`];
      const outside = await ofMysql(variables({ innodb_undo_directory: join(root, 'undo') }), list);
      expect(shown(outside)).toEqual([
        'tables …/fast/app: exchange',
        'tables …/fast: watch',
        'undo logs …/fast: exchange',
        'undo logs …/undo: exchange',
      ]);
      const area = areasOf(outside).find(({ directory }) => directory === join(root, 'fast', 'app'));
      const names = ['t.ibd', 'made-since.ibd', 'theirs.ibd', 't.txt'];
      expect(names.filter((name) => owns(area?.owned ?? [], name))).toEqual(['t.ibd', 'made-since.ibd']);
    });

    test('cannot be told apart where the server does not tell', async () => {
      await mkdir(join(root, 'fast', 'app'), { recursive: true });
      expect(shown(await ofMysql(variables()))).toEqual([]);
      await writeFile(join(root, 'fast', 'app', 't.ibd'), '');
      expect(shown(await ofMysql(variables()))).toEqual(['tables …/fast: refuse']);
    });

    test('is not exchanged where that was not proven, or it cannot be told what it is', async () => {
      await mkdir(join(root, 'other'));
      await mkdir(join(root, 'relay'));
      await symlink(join(root, 'other'), join(data, 'shop'));
      await writeFile(join(root, 'relay', 'relay-channel.000001'), '');
      expect(shown(await ofMysql({ relay_log_basename: join(root, 'relay', 'relay') }, []))).toEqual([
        'relay logs …/relay: refuse',
        'tables …/other: refuse',
      ]);
    });
  });
});
