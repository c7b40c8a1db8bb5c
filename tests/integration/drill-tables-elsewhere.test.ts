import { hash } from 'node:crypto';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { documentsOf, holdfast } from '../support/cli.ts';
import { type ProtectedServer, startProtectedServer } from '../support/protected-server.ts';
import { startMariadb } from '../support/servers.ts';

/** Tables made with `DATA DIRECTORY`: a backup names the files of the live server, on the very host that it is drilled on. */
const stack = new AsyncDisposableStack();
let server: ProtectedServer;
let elsewhere: string;

beforeAll(async () => {
  server = stack.use(await startProtectedServer());
  elsewhere = join(server.folder, 'fast');
  await mkdir(elsewhere);
  await server.database.user.own(elsewhere);
  await server.database.query(`USE app;
    CREATE TABLE far (id INT PRIMARY KEY, text TEXT) DATA DIRECTORY='${elsewhere}';
    INSERT INTO far SELECT seq, MD5(seq) FROM seq_1_to_2000;
    CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY RANGE (id)
      (PARTITION low VALUES LESS THAN (10) DATA DIRECTORY='${elsewhere}', PARTITION high VALUES LESS THAN MAXVALUE);
    INSERT INTO parts VALUES (1), (20)`);
  await run('repository', 'init');
  await run('backup', ...state(), ...server.serverArguments);
});
afterAll(() => stack.disposeAsync());

it.each(['running', 'stopped'])(
  'is proven on the host of its source, which is %s, without touching its tables',
  async (how) => {
    const expected = await checksums();
    if (how === 'stopped') await server.database.stop();
    const before = await looksOf(elsewhere);
    const drilled = await run('drill', 'latest', '--checksums', '--owner', 'nobody');
    expect(drilled['checksums']).toMatchObject(expected);
    expect(await looksOf(elsewhere)).toEqual(before);
  },
);

it('is restored into a directory whose server writes to its own files alone', async () => {
  const before = await looksOf(elsewhere);
  const target = join(server.folder, 'restored');
  await run('restore', 'latest', '--to', target, ...state());
  await server.database.user.own(target);
  await using restored = await startMariadb({ bin: server.database.bin, dataDirectory: target });
  await restored.query(`DELETE FROM app.far WHERE id > 1000; INSERT INTO app.parts VALUES (2); FLUSH TABLES`);
  expect(await restored.query('SELECT COUNT(*) FROM app.far')).toEqual([['1000']]);
  await restored.stop();
  expect(await looksOf(elsewhere)).toEqual(before);
});

function state(): string[] {
  return ['--state-dir', join(server.folder, 'state')];
}

async function run(...words: readonly string[]): Promise<Record<string, unknown>> {
  const args = [...words, '--json', ...server.repositoryIn(join(server.folder, 'repository'))];
  const ended = await holdfast(args);
  expect(ended.code, ended.stderr).toBe(0);
  return documentsOf(ended).at(-1) ?? {};
}

async function checksums(): Promise<Record<string, string>> {
  const rows = await server.database.query('CHECKSUM TABLE app.far, app.parts');
  return Object.fromEntries(rows.map(([table = '', checksum = '']) => [table, checksum]));
}

/** What changes when a file is written to. */
async function looksOf(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.toSorted().map(async (path) => {
      const { ino, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      return [path, ino, mtimeNs, ctimeNs, hash('sha1', await readFile(path))].join(' ');
    }),
  );
}
