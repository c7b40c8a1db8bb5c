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
    for (const name of ['other', 'fast/app', 'known']) await mkdir(join(root, name), { recursive: true });
    await symlink(join(root, 'other'), join(data, 'shop'));
    await symlink(join(root, 'fast', 'm.MYD'), join(data, 'app', 'm.MYD'));
    await writeFile(join(data, 'app', 'u.isl'), join(root, 'fast', 'app', 'u.ibd'));
    await writeFile(join(data, 'app', 'w.isl'), join(root, 'fast', 'app', 'w.ibd'));
    await writeFile(join(root, 'other', 'x.isl'), join(root, 'far', 'shop', 'x.ibd'));
    await writeFile(join(root, 'known', 'v.ibd'), '');
    await symlink(join(data, 'app'), join(data, 'alias'));
    expect((await found({ innodb_directories: `${root}/known;${root}/empty` })).toSorted()).toEqual([
      'tables …/far/shop: exchange',
      'tables …/fast/app: exchange',
      'tables …/fast/m.MYD: stay',
      'tables …/known: refuse',
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

  test('is not exchanged for a server on which that was not proven', async () => {
    const variables = { innodb_undo_directory: '/undo' };
    const outside = await dataOutside({ dataDirectory: data, variables, vendor: 'MySQL' });
    expect(outside).toMatchObject([{ path: '/undo', handling: { kind: 'refuse' } }]);
  });
});
