import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTablespaceList, refuseOnThisHost } from './tablespace-list.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hf-list-'));
  for (const name of ['app', 'od@002dd']) await mkdir(join(directory, name));
  for (const name of ['app/t.ibd', 'ts.ibd', 'od@002dd/t@0020x.ibd']) await writeFile(join(directory, name), '');
});
afterEach(() => rm(directory, { recursive: true }));

const list = async (...entries: readonly (readonly [string, string, string?])[]) => {
  const listed = entries.map(([path, space, type = 'TABLESPACE']) => ({
    file_name: path,
    tablespace_name: space,
    tablespace_type: type,
  }));
  await writeFile(
    join(directory, 'xtrabackup_tablespaces'),
    JSON.stringify({ version: 2, external_tablespaces: listed }),
  );
  return readTablespaceList(directory);
};

test('tells of tables, parts and general tablespaces where they were and where the backup has them', async () => {
  const { links, absent } = await list(
    ['/fast/app/t.ibd', 'app/t'],
    ['/spaces/space.ibd', 'ts'],
    ['/fast/od@002dd/t@0020x.ibd', 'od-d/t x'],
    ['/undo/more.ibu', 'more', 'UNDO_LOG'],
    ['/fast/app/dropped.ibd', 'app/dropped'],
  );
  expect(links).toEqual([
    { database: 'app', table: 't', path: '/fast/app/t.ibd', file: 'app/t.ibd' },
    { database: '', table: 'space', path: '/spaces/space.ibd', file: 'ts.ibd' },
    {
      database: 'od@002dd',
      table: 't@0020x',
      path: '/fast/od@002dd/t@0020x.ibd',
      file: 'od@002dd/t@0020x.ibd',
    },
  ]);
  expect(absent).toEqual(['/fast/app/dropped.ibd']);
});

test.each([
  ['/fast/app/x.ibd', '../app/t'],
  ['/fast/app/x.ibd', '/etc/passwd'],
  ['fast/app/t.ibd', 'app/t'],
  ['/fast/app/t.frm', 'app/t'],
  ['/fast/app/t\0.ibd', 'app/t'],
])('leads nowhere by what is no tablespace: %s %s', async (path, space) => {
  expect((await list([path, space])).links).toEqual([]);
});

test.each(['', '[]', '{"external_tablespaces":{}}', 'no list'])('is nothing where there is none: %s', async (text) => {
  await writeFile(join(directory, 'xtrabackup_tablespaces'), text);
  expect(await readTablespaceList(directory)).toEqual({ links: [], absent: [] });
});

test('no server starts on a backup that lacks a tablespace which this host has', async () => {
  const path = join(directory, 'app/t.ibd');
  await refuseOnThisHost(['/nowhere/app/t.ibd']);
  await expect(refuseOnThisHost(['/nowhere/app/t.ibd', path])).rejects.toMatchObject({ code: 'tablespace-elsewhere' });
});
