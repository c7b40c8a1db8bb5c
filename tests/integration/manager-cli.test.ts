import { mkdir, mkdtemp, readdir, rename, rm, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliRun, documentsOf, failed, holdfast } from '../support/cli.ts';
import { commandLinesWith } from '../support/command-lines.ts';
import { type RestartableServer, startRestartable } from '../support/restartable-server.ts';
import { fromSource, startUp } from '../support/up.ts';

const bin = process.env['HOLDFAST_TEST_MARIADB_10_11'] ?? '';
const passphrase = 'hush-a-passphrase-for-tests';

/** Everything that a person does in the pages, typed. */
describe('holdfast up, and the commands that a manager takes', () => {
  const stack = new AsyncDisposableStack();
  let folder: string;
  let server: RestartableServer;
  let env: Record<string, string>;
  let passwordFile: string;

  const run = (...args: string[]): Promise<CliRun> => holdfast(args, { env, limitMs: 120_000 });
  async function result(...args: string[]): Promise<Record<string, unknown>> {
    const done = await run(...args, '--json');
    expect(done.code, done.stdout + done.stderr).toBe(0);
    return documentsOf(done).at(-1) ?? {};
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hf-cli-'));
    stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
    // A drill's server is another user, and passes through.
    await chmod(folder, 0o711);
    server = stack.use(await startRestartable({ bin }));
    await server.query(
      'CREATE DATABASE app; USE app; CREATE TABLE t (id INT PRIMARY KEY, v TEXT) SELECT seq AS id, MD5(seq) AS v FROM seq_1_to_20000',
    );
    const role = { command: fromSource, env: { ...process.env, PATH: [bin, process.env['PATH']].join(delimiter) } };
    const ready = await startUp(stack, { ...role, server, bin, state: join(folder, 'state'), service: 'shop' });
    passwordFile = ready.passwordFile ?? '';
    await writeFile(join(folder, 'passphrase'), `${passphrase}\n`, { mode: 0o600 });
    env = { HOLDFAST_URL: ready.url, HOLDFAST_TOKEN_FILE: join(folder, 'token') };
    await mkdir(join(folder, 'store'));
  });
  afterAll(() => stack.disposeAsync());

  test('without a token nothing is done; the first one is made with the password of admin', async () => {
    expect(failed(await run('backup', 'list'))).toMatchObject({ code: 2, message: expect.stringContaining('token') });
    const made = await run(
      'token',
      'create',
      'tests',
      '--role',
      'admin',
      '--user',
      'admin',
      '--password-file',
      passwordFile,
    );
    expect(made.code, made.stderr).toBe(0);
    await writeFile(join(folder, 'token'), made.stdout, { mode: 0o600 });
    expect((await run('token', 'list')).stdout).toMatch(/tests +admin/);
    await writeFile(join(folder, 'wrong'), 'hf_not-a-token\n', { mode: 0o600 });
    expect(failed(await run('service', 'list', '--token-file', join(folder, 'wrong'))).code).toBe(4);
  });

  test('the server is a service already, with what is known of it', async () => {
    await expect
      .poll(async () => (await run('service', 'list')).stdout, { timeout: 20_000 })
      .toMatch(/shop +Online +MariaDB/);
    expect((await run('agent', 'list')).stdout).toMatch(/shop +Connected/);
    expect(await result('service', 'test', 'shop')).toMatchObject({ isGo: true });
  });

  test('a storage location is tested before it is added, and its passphrase is in no answer and no argument list', async () => {
    const place = ['--directory', join(folder, 'store'), '--passphrase-file', join(folder, 'passphrase')];
    const missing = failed(
      await run('storage', 'add', 'bad', '--directory', join(folder, 'nowhere'), '--no-encryption'),
    );
    expect(missing).toMatchObject({ code: 1 });
    const work = run('storage', 'add', 'main', ...place);
    expect(await commandLinesWith([passphrase], work)).toEqual([]);
    expect((await work).stdout).toContain('is added');
    expect(JSON.stringify(await result('storage', 'show', 'main'))).not.toContain(passphrase);
    expect((await run('storage', 'list')).stdout).toMatch(/main +Working/);
  });

  test('a preflight says what would keep a backup from succeeding, and begins none', async () => {
    const good = await run('backup', 'preflight', '--service', 'shop', '--location', 'main');
    expect(good.code, good.stderr).toBe(0);
    expect(good.stdout).toMatch(/^Nothing keeps a backup of shop to main from succeeding\.\n {2}ok /);
    const found = await result('backup', 'preflight', '--service', 'shop');
    expect(found).toMatchObject({ type: 'result', service: 'shop', location: 'main', isGo: true, sharedWith: [] });
    const store = join(folder, 'store');
    await rename(store, `${store}-away`);
    const bad = await run('backup', 'preflight', '--service', 'shop', '--json');
    await rename(`${store}-away`, store);
    expect(bad.code).toBe(1);
    const [said] = documentsOf(bad).filter(({ type }) => type === 'result');
    expect(said).toMatchObject({ isGo: false });
    expect(JSON.stringify(said)).toContain('storage-missing');
    expect(failed(await run('backup', 'preflight')).code).toBe(2);
    expect(failed(await run('backup', 'preflight', '--service', 'nobody')).code).toBe(3);
    expect((await run('backup', 'list')).stdout).toContain('No backup is there.');
  });

  test('a backup says where it runs, is followed to its end, and told of as one here', async () => {
    const done = await run('backup', '--service', 'shop', '--location', 'main', '--name', 'first', '-v');
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout.split('\n')[0]).toBe(`Running on the manager at ${env['HOLDFAST_URL']}.`);
    expect(done.stdout).toMatch(/\nBackup first of shop is complete\.\n {2}Server +MariaDB /);
    expect(done.stderr).toContain('completed OK!');
    expect((await run('backup', 'list', '--state', 'Succeeded')).stdout).toMatch(/first +Succeeded +shop +main/);
    expect((await run('backup', 'show', 'first', '--log')).stdout).toMatch(
      /Engine +mariadb-backup[\s\S]*completed OK!/,
    );
    expect(failed(await run('backup', '--service', 'shop', '--name', 'first'))).toMatchObject({ code: 6 });
    expect(failed(await run('backup', '--service', 'nobody', '--name', 'x')).code).not.toBe(0);
  });

  test('a drill proves it', async () => {
    expect(await result('drill', 'first', '--checksums')).toMatchObject({ tables: expect.any(Number) });
    expect((await run('backup', 'list')).stdout).toMatch(/first .*proven/);
    expect((await run('drill', 'list')).stdout).toMatch(/Succeeded +first/);
  });

  test('a restore wants to know what only a person can, shows its plan, and goes into a directory or in place', async () => {
    const directory = join(folder, 'state', 'restores', 'copy');
    expect(failed(await run('restore', 'first', '--to', directory)).next).toContain('--identity');
    const answers = ['--identity', 'new', '--replication', 'stopped'];
    const plan = await run('restore', 'first', '--to', directory, ...answers, '--plan');
    expect(plan.code, plan.stderr).toBe(0);
    expect(plan.stdout).toMatch(/What happens to restore/);
    const restored = await result('restore', 'first', '--to', directory, ...answers);
    expect(restored).toMatchObject({ type: 'result' });
    expect(await readdir(directory)).toContain('app');
    await server.query('DELETE FROM app.t WHERE id > 5');
    const inPlace = ['restore', 'first', '--in-place', '--identity', 'keep', '--replication', 'stopped'];
    expect(failed(await run(...inPlace))).toMatchObject({ code: 2, next: expect.stringContaining('--yes') });
    const back = await run(...inPlace, '--yes');
    expect(back.code, back.stderr).toBe(0);
    expect(await server.query('SELECT COUNT(*) FROM app.t')).toEqual([['20000']]);
  });

  test('pinned backups stay; others go when their name is typed or --yes is given', async () => {
    expect((await run('backup', 'pin', 'first')).code).toBe(0);
    expect(failed(await run('backup', 'delete', 'first', '--yes'))).toMatchObject({ code: 6 });
    expect((await run('backup', 'unpin', 'first')).code).toBe(0);
    expect(failed(await run('backup', 'delete', 'first'))).toMatchObject({ code: 2 });
    expect((await run('backup', 'delete', 'first', '--yes')).stdout).toMatch(/is being deleted/);
    const state = async (): Promise<string> => (await run('backup', 'show', 'first')).stdout;
    await expect.poll(state, { timeout: 20_000 }).toMatch(/State +Delet/);
  });

  test('what is unknown, not allowed or meant for other places is refused', async () => {
    expect(failed(await run('backup', 'show', 'nothing'))).toMatchObject({ code: 3 });
    expect(failed(await run('backup', '--service', 'shop', '--socket', '/x'))).toMatchObject({ code: 2 });
    expect(failed(await run('backup', 'list', '--manager', 'http://192.0.2.1:7440'))).toMatchObject({ code: 2 });
    expect(failed(await run('backup', 'list', '--manager', 'http://127.0.0.1:1'))).toMatchObject({ code: 1 });
    const viewer = await result('token', 'create', 'viewer', '--role', 'viewer');
    await writeFile(join(folder, 'viewer'), `${String(viewer['token'])}\n`, { mode: 0o600 });
    const asViewer = ['--token-file', join(folder, 'viewer')];
    expect((await run('backup', 'list', ...asViewer)).code).toBe(0);
    expect(failed(await run('backup', 'pin', 'first', ...asViewer))).toMatchObject({ code: 4 });
  });
});
