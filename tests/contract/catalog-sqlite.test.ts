import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { migrations } from '../../src/catalog/migrations.ts';
import { openDatabase } from '../../src/catalog/sqlite-database.ts';
import { openSqliteCatalog } from '../../src/catalog/sqlite.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { smallDisk } from '../support/tmpfs.ts';
import { describeCatalog, serviceContent } from './catalog.ts';

let folder = '';
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-catalog-'));
});
afterAll(async () => rm(folder, { recursive: true }));

function newFile(): string {
  count += 1;
  return join(folder, String(count), 'manager.db');
}

describeCatalog('SQLite', async () => {
  const catalog = await openSqliteCatalog({ file: newFile(), clock });
  return { catalog, [Symbol.asyncDispose]: async () => catalog[Symbol.asyncDispose]() };
});

describe('the file of the catalog', () => {
  it('keeps what it was told over a restart, and counts versions on', async () => {
    const file = newFile();
    let version = 0;
    {
      await using catalog = await openSqliteCatalog({ file, clock });
      const made = await catalog.create('Service', 'a', serviceContent('kept'));
      const gone = await catalog.create('Service', 'b', serviceContent());
      ({ version } = gone);
      await catalog.remove(gone);
      expect(made.version).toBeLessThan(version);
    }
    await using catalog = await openSqliteCatalog({ file, clock });
    expect(await catalog.get('Service', 'a')).toMatchObject({ spec: { description: 'kept' } });
    expect((await catalog.create('Service', 'c', serviceContent())).version).toBeGreaterThan(version);
  });

  it('is for its owner alone', async () => {
    const file = newFile();
    await using catalog = await openSqliteCatalog({ file, clock });
    await catalog.create('Service', 'a', serviceContent());
    const directory = join(file, '..');
    expect((await stat(directory)).mode & 0o077).toBe(0);
    for (const name of await readdir(directory)) expect((await stat(join(directory, name))).mode & 0o077, name).toBe(0);
  });

  it('is for one manager at a time', async () => {
    const file = newFile();
    await using _first = await openSqliteCatalog({ file, clock });
    await expect(openSqliteCatalog({ file, clock })).rejects.toMatchObject({ code: 'catalog-in-use' });
    const other = new Worker(
      `const { DatabaseSync } = require('node:sqlite');
       const database = new DatabaseSync(${JSON.stringify(`${file}.lock`)}, { timeout: 0 });
       try { database.exec('BEGIN EXCLUSIVE'); process.exitCode = 0; } catch { process.exitCode = 7; }`,
      { eval: true },
    );
    expect(await once(other, 'exit')).toEqual([7]);
  });

  it('of a newer program is refused and not touched', async () => {
    const file = newFile();
    const newer = [...migrations, { number: 99, name: 'of a later day', sql: 'CREATE TABLE later (x INTEGER)' }];
    (await openDatabase({ file, clock, migrations: newer }))[Symbol.dispose]();
    await expect(openSqliteCatalog({ file, clock })).rejects.toMatchObject({
      code: 'catalog-too-new',
      message: expect.stringContaining('version 99'),
    });
    (await openDatabase({ file, clock, migrations: newer }))[Symbol.dispose]();
  });

  it('takes each migration once, and none of one that fails', async () => {
    const file = newFile();
    const second = { number: 99, name: 'second', sql: 'CREATE TABLE second (x INTEGER)' };
    const bad = { number: 100, name: 'bad', sql: 'CREATE TABLE third (x INTEGER); CREATE TABLE second (x INTEGER);' };
    (await openDatabase({ file, clock }))[Symbol.dispose]();
    (await openDatabase({ file, clock, migrations: [...migrations, second] }))[Symbol.dispose]();
    await expect(openDatabase({ file, clock, migrations: [...migrations, second, bad] })).rejects.toThrow('Cannot');
    using database = await openDatabase({ file, clock, migrations: [...migrations, second] });
    const names = database.use((raw) => raw.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all());
    expect(names.map(({ name }) => name)).toContain('second');
    expect(names.map(({ name }) => name)).not.toContain('third');
  });

  it('that is damaged is said to be, with what to do', async () => {
    const file = newFile();
    await (await openSqliteCatalog({ file, clock }))[Symbol.asyncDispose]();
    await writeFile(file, (await readFile(file)).fill(7, 0, 100));
    await expect(openSqliteCatalog({ file, clock })).rejects.toMatchObject({ code: 'catalog-damaged' });
    await truncate(file, 4096 + 17);
    await expect(openSqliteCatalog({ file, clock })).rejects.toMatchObject({ code: 'catalog-damaged' });
  });

  it('names the record that cannot be read', async () => {
    const file = newFile();
    {
      await using catalog = await openSqliteCatalog({ file, clock });
      await catalog.create('Service', 'a', serviceContent());
    }
    const raw = new DatabaseSync(file);
    raw.exec(`UPDATE resources SET spec = '{"agent": 7}'`);
    raw.close();
    await using catalog = await openSqliteCatalog({ file, clock });
    await expect(catalog.get('Service', 'a')).rejects.toMatchObject({
      code: 'catalog-damaged',
      message: expect.stringContaining('Service a'),
    });
  });

  it('tells a watcher that lags too far behind that changes were lost', async () => {
    await using catalog = await openSqliteCatalog({ file: newFile(), clock, watchLimit: 3 });
    const changes = catalog.watch({ signal: new AbortController().signal })[Symbol.asyncIterator]();
    for (const name of ['a', 'b', 'c', 'd']) await catalog.create('Service', name, serviceContent());
    await expect(changes.next()).rejects.toMatchObject({ code: 'changes-lost' });
  });
});

test('a full disk is said to be full, nothing that was answered is lost, and work goes on when there is space', async (context) => {
  using disk = smallDisk('3m', context.skip);
  const file = join(disk.path, 'data', 'manager.db');
  const kept: string[] = [];
  const create = async (number: number): Promise<unknown> => {
    const name = `s${String(number).padStart(4, '0')}`;
    try {
      await catalog.create('Service', name, serviceContent('x'.repeat(900)));
      kept.push(name);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  let catalog = await openSqliteCatalog({ file, clock });
  try {
    let failure: unknown;
    for (let number = 0; failure === undefined && number < 5000; number += 1) failure = await create(number);
    expect(failure).toMatchObject({ code: 'catalog-full' });
    expect(kept.length).toBeGreaterThan(50);
    for (let again = 0; again < 5; again += 1)
      expect(await create(9000 + again)).toMatchObject({ code: 'catalog-full' });
    expect(await namesIn()).toEqual(kept);
    disk.resize('20m');
    expect(await create(9500)).toBeUndefined();
    await catalog[Symbol.asyncDispose]();
    catalog = await openSqliteCatalog({ file, clock });
    expect(await namesIn()).toEqual(kept);
  } finally {
    await catalog[Symbol.asyncDispose]();
  }

  async function namesIn(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of catalog.list('Service')) names.push(name);
    return names;
  }
});
