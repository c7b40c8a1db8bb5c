import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findTableLinks, takeOutTableLinks } from './table-links.ts';

describe('links to tables elsewhere', () => {
  let root: string;
  let data: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'hf-links-'));
    data = join(root, 'data');
    for (const name of ['data/app', 'data/.holdfast-old-1/app', 'linked/shop'])
      await mkdir(join(root, name), { recursive: true });
    await symlink(join(root, 'linked', 'shop'), join(data, 'shop'));
  });
  afterEach(async () => rm(root, { recursive: true }));

  test('are found in every database, also in one behind a link, and not in what a restore put aside', async () => {
    await writeFile(join(data, 'app', 't.isl'), '/fast/app/t.ibd\n');
    await writeFile(join(data, 'app', 'p#P#p0.isl'), '/fast/app/p#P#p0.ibd');
    await writeFile(join(data, 'app', 't.frm'), '');
    await writeFile(join(data, 'shop', 'd.isl'), '/fast/shop/d.ibd');
    await writeFile(join(data, '.holdfast-old-1', 'app', 't.isl'), '/fast/app/t.ibd');
    expect(await findTableLinks(data)).toEqual([
      { database: 'app', table: 'p#P#p0', path: '/fast/app/p#P#p0.ibd' },
      { database: 'app', table: 't', path: '/fast/app/t.ibd' },
      { database: 'shop', table: 'd', path: '/fast/shop/d.ibd' },
    ]);
  });

  test.each([
    ['another table', '/fast/app/other.ibd'],
    ['another database', '/fast/shop/t.ibd'],
    ['a relative path', 'fast/app/t.ibd'],
    ['what is no table', '/etc/app/passwd'],
    ['a path too long to be one', `/${'x'.repeat(5000)}/app/t.ibd`],
    ['nothing', ''],
  ])('that tell %s are none to follow', async (_what, text) => {
    await writeFile(join(data, 'app', 't.isl'), text);
    expect(await findTableLinks(data)).toEqual([{ database: 'app', table: 't', path: undefined }]);
  });

  test('are taken out of a backup, whatever they tell', async () => {
    await writeFile(join(data, 'app', 't.isl'), '/fast/app/t.ibd');
    await writeFile(join(data, 'app', 't.ibd'), 'rows');
    await writeFile(join(data, 'app', 'u.isl'), 'nonsense');
    expect(await takeOutTableLinks(data)).toHaveLength(2);
    expect(await readdir(join(data, 'app'))).toEqual(['t.ibd']);
  });
});
