import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { documentsOf, holdfast } from '../support/cli.ts';
import { type ProtectedServer, startProtectedServer } from '../support/protected-server.ts';
import { type MariadbServer, startMariadb, startVersitygw, type VersitygwServer } from '../support/servers.ts';

const stack = new AsyncDisposableStack();
let server: ProtectedServer;
let store: VersitygwServer;

beforeAll(async () => {
  server = stack.use(await startProtectedServer());
  store = stack.use(await startVersitygw());
  await store.createBucket('backups');
  await server.database.query(`USE app; CREATE TABLE kept (id INT PRIMARY KEY, text TEXT) ENGINE=Aria;
    INSERT INTO kept SELECT seq, MD5(seq) FROM seq_1_to_5000;
    CREATE TABLE \`strange näme/..\` (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3;
    INSERT INTO \`strange näme/..\` SELECT seq FROM seq_1_to_100`);
});
afterAll(() => stack.disposeAsync());

async function run(...words: readonly string[]): Promise<Record<string, unknown>> {
  const location = `s3://backups/db?region=${store.region}&endpoint=${encodeURIComponent(store.endpoint)}&addressing=path`;
  const args = [...words, '--json', '-r', location, '--passphrase-file', server.secretFile('passphrase')];
  const env = { HOLDFAST_S3_ACCESS_KEY_ID: store.accessKey, HOLDFAST_S3_SECRET_ACCESS_KEY: store.secretKey };
  const ended = await holdfast(args, { env });
  expect(ended.code, ended.stderr).toBe(0);
  return documentsOf(ended).at(-1) ?? {};
}

async function checksums(database: MariadbServer): Promise<Record<string, string>> {
  const tables = await database.query(
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'app' ORDER BY 1",
  );
  const names = tables.map(([name]) => `app.\`${name}\``).join(', ');
  const rows = await database.query(`CHECKSUM TABLE ${names}`);
  return Object.fromEntries(rows.map(([table = '', checksum = '']) => [table, checksum]));
}

it('a server in an encrypted bucket: backed up twice for little more than once, drilled, restored, started and equal', async () => {
  const state = ['--state-dir', join(server.folder, 'state')];
  await run('repository', 'init');
  const first = await run('backup', ...state, ...server.serverArguments);
  await server.database.query('UPDATE app.notes SET bytes = REVERSE(bytes) WHERE id < 400');
  const second = await run('backup', ...state, ...server.serverArguments);
  expect(second).toMatchObject({ parent: first['backup'] });
  expect(Number(second['storedBytes'])).toBeLessThan(Number(first['storedBytes']) / 4);
  const expected = await checksums(server.database);

  const drilled = await run('drill', 'latest', '--checksums', '--owner', 'nobody');
  expect(drilled['checksums']).toEqual(expected);

  // Each is a whole backup: the first can go, the second restores without it.
  await run('repository', 'delete', String(first['backup']), '--yes');
  const target = join(server.folder, 'restored');
  await run('restore', 'latest', '--to', target, ...state);
  await server.database.user.own(target);
  await using restored = await startMariadb({ bin: server.database.bin, dataDirectory: target });
  expect(await checksums(restored)).toEqual(expected);
});
