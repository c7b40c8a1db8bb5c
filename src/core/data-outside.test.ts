import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dataOutside, judgeOutside } from './data-outside.ts';

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
    (await dataOutside({ dataDirectory: data, variables })).map(
      ({ what, path }) => `${what} ${path.replace(root, '…')}`,
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
    ['innodb_data_home_dir', '…/fast', 'system tablespace …/fast'],
    ['innodb_undo_directory', '…/undo', 'undo logs …/undo'],
    ['innodb_undo_directory', '../undo', 'undo logs …/undo'],
    ['innodb_log_group_home_dir', '…/redo/', 'redo logs …/redo'],
    ['aria_log_dir_path', '…/aria', 'Aria logs …/aria'],
    ['log_bin_basename', '…/binlogs/bin', 'binary logs …/binlogs'],
    ['relay_log_basename', '…/relay/relay', 'relay logs …/relay'],
    ['innodb_data_file_path', 'ibdata1:12M;…/fast/ibdata2:50M:autoextend', 'system tablespace …/fast/ibdata2'],
    // A name that begins like the directory is another one.
    ['innodb_undo_directory', '…/data2', 'undo logs …/data2'],
  ])('is found by %s = %s', async (name, value, expected) => {
    expect(await found({ [name]: value.replace('…', root) })).toEqual([expected]);
  });

  test('is found by links and by what InnoDB keeps for tables elsewhere', async () => {
    for (const name of ['other', 'fast', 'known']) await mkdir(join(root, name));
    await symlink(join(root, 'other'), join(data, 'shop'));
    await symlink(join(root, 'fast', 'm.MYD'), join(data, 'app', 'm.MYD'));
    await writeFile(join(data, 'app', 'u.isl'), join(root, 'fast', 'app', 'u.ibd'));
    await writeFile(join(root, 'known', 'v.ibd'), '');
    await symlink(join(data, 'app'), join(data, 'alias'));
    expect((await found({ innodb_directories: `${root}/known;${root}/empty` })).toSorted()).toEqual([
      'tables …/fast/app/u.ibd',
      'tables …/fast/m.MYD',
      'tables …/known',
      'tables …/other',
    ]);
  });

  test('is none where the data directory itself is behind a link', async () => {
    await symlink(data, join(root, 'link'));
    const linked = await dataOutside({
      dataDirectory: join(root, 'link'),
      variables: { log_bin_basename: join(root, 'link', 'bin') },
    });
    expect(linked).toEqual([]);
  });

  test('keeps a restore in place from beginning, and is named', () => {
    expect(judgeOutside('/data', [])).toMatchObject({ level: 'ok' });
    const many = Array.from({ length: 12 }, (_, at) => ({ what: 'tables', path: `/fast/${at}` }) as const);
    const finding = judgeOutside('/data', [{ what: 'undo logs', path: '/undo' }, ...many]);
    expect(finding).toMatchObject({ level: 'error', code: 'data-outside' });
    expect(finding.message).toMatch(/undo logs in \/undo, .*and 3 more\.$/);
  });
});
