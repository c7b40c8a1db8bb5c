import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliRun, documentsOf, failed, holdfast } from '../support/cli.ts';
import { commandLinesWith } from '../support/command-lines.ts';
import { holdBackups } from '../support/held-backups.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';

const [passphrase, databasePassword] = ['repository-secret-word', 'database-secret-word'];
const stack = new AsyncDisposableStack();
let server: MariadbServer;
let folder: string;
let connection: string[];

const run = (...args: string[]): Promise<CliRun> =>
  holdfast(args, { path: server.bin, env: environment(), limitMs: 120_000 });

function environment(): Record<string, string> {
  return {
    HOLDFAST_REPOSITORY: join(folder, 'repository'),
    HOLDFAST_PASSPHRASE_FILE: join(folder, 'passphrase'),
    HOLDFAST_STATE_DIR: join(folder, 'state'),
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-cli-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  // A drill's server is another user, and passes through.
  await chmod(folder, 0o711);
  server = stack.use(await startMariadb({ options: ['--log-bin=bin', '--server-id=7'] }));
  await server.query(
    `CREATE DATABASE app; USE app; CREATE TABLE t (id INT PRIMARY KEY, v TEXT) SELECT seq AS id, MD5(seq) AS v FROM seq_1_to_50000;
     CREATE USER holdfast@localhost IDENTIFIED BY '${databasePassword}'; GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR ON *.* TO holdfast@localhost;
     CREATE USER nobody_much@localhost IDENTIFIED BY '${databasePassword}'`,
  );
  await writeFile(join(folder, 'passphrase'), `${passphrase}\n`, { mode: 0o600 });
  await writeFile(join(folder, 'db-password'), `${databasePassword}\n`, { mode: 0o600 });
  connection = ['--socket', server.socket, '--user', 'holdfast', '--password-file', join(folder, 'db-password')];
  expect(await run('repository', 'init', '-q')).toMatchObject({ code: 0, stderr: '' });
});
afterAll(() => stack.disposeAsync());

test('a backup in this process: the first line says where, and no command line ever held a secret', async () => {
  const work = run('backup', '--service', 'app', ...connection);
  expect(await commandLinesWith([passphrase, databasePassword], work)).toEqual([]);
  const { code, stdout, stderr } = await work;
  expect(code, stderr).toBe(0);
  expect(stdout.split('\n')[0]).toBe(`Running in this process, with the repository ${join(folder, 'repository')}.`);
  expect(stdout).toMatch(/\nBackup \S+ of app is complete\.\n/);
  expect(stdout).toMatch(/ Binary log +bin\.\d+, position \d+\n/);
  expect(stderr).toMatch(/^copying +\d+ % /m);
  expect(stdout + stderr).not.toContain('secret-word');
});

test('the next one leans on it; a drill proves it and finds the checksums of the source', async () => {
  const documents = documentsOf(await run('backup', '--service', 'app', '--json', ...connection));
  const [start] = documents;
  const result = documents.at(-1);
  expect(start).toMatchObject({ type: 'start', where: 'process' });
  expect(result).toMatchObject({ type: 'result', service: 'app', parent: expect.any(String) });
  const [row] = await server.query('CHECKSUM TABLE app.t');
  const directory = join(folder, 'drills');
  const drilled = await run('drill', 'latest', '--checksums', '--json', '--directory', directory);
  expect(drilled.code, drilled.stdout).toBe(0);
  expect(documentsOf(drilled).at(-1)).toMatchObject({
    type: 'result',
    id: result?.['id'],
    checksums: { 'app.t': row?.[1] },
    steps: expect.arrayContaining([expect.objectContaining({ name: 'start' })]),
  });
  const listed = documentsOf(await run('repository', 'list', '--json'));
  expect(listed.at(-1)).toMatchObject({ id: result?.['id'], proof: { level: 'proven' } });
  expect(await readdir(directory)).toEqual([]);
});

test('a restore goes into an absent or empty directory and nowhere else', async () => {
  const target = join(folder, 'restored');
  const restored = await run('restore', 'latest', '--to', target);
  expect(restored.code, restored.stderr).toBe(0);
  expect(restored.stdout).toContain(`into ${target}.\n`);
  expect((await stat(join(target, 'app', 't.ibd'))).size).toBeGreaterThan(1_000_000);
  if (process.getuid?.() === 0) {
    expect(restored.stdout).toContain(`belong to root. Before a server starts on them`);
    expect(restored.stdout).toContain(`chown -R mysql: ${target}\n`);
    const given = await run('restore', 'latest', '--to', `${target}-given`, '--owner', 'nobody');
    expect(given.stdout).not.toContain('chown');
    expect((await stat(join(`${target}-given`, 'app', 't.ibd'))).uid).toBe(65_534);
  }
  expect(failed(await run('restore', 'latest', '--to', target))).toMatchObject({
    code: 6,
    message: expect.stringContaining('not empty'),
  });
  expect(failed(await run('restore', 'latest', '--to', 'relative'))).toMatchObject({ code: 2 });
  expect(failed(await run('restore', 'latest'))).toMatchObject({ code: 2 });
  expect(failed(await run('restore', 'latest', '--to', '/x', '--unit', 'mariadb'))).toMatchObject({ code: 2 });
  expect(failed(await run('restore', 'latest', '--to', '/x', '--owner', 'no-such-user'))).toMatchObject({ code: 2 });
});

test('a restore needs no state directory, and says what it could not record there', async () => {
  const target = join(folder, 'without-state');
  const restored = await run(
    'restore',
    'latest',
    '--to',
    target,
    '--state-dir',
    join(folder, 'passphrase', 'x'),
    '--verbose',
  );
  expect(restored.code, restored.stderr).toBe(0);
  expect(restored.stderr).toContain(`Cannot record which backups ${target} goes on with`);
  await stat(join(target, 'app', 't.ibd'));
});

test('a running server is not replaced without the means to stop it', async () => {
  const refused = failed(await run('restore', 'latest', '--in-place', '--yes', ...connection));
  expect(refused).toMatchObject({ code: 6, message: expect.stringContaining(server.dataDirectory) });
  const commands = ['--stop-command', '/bin/true', '--start-command', '/bin/true'];
  const unasked = failed(await run('restore', 'latest', '--in-place', ...commands, ...connection));
  expect(unasked).toMatchObject({ code: 2, next: 'Add --yes if this is what you want.' });
  expect(await server.query('SELECT COUNT(*) FROM app.t')).toEqual([['50000']]);
});

test('what is wrong with the database is named', async () => {
  const wrong = join(folder, 'passphrase');
  const socket = ['--socket', server.socket];
  expect(failed(await run('backup', ...socket, '--user', 'holdfast', '--password-file', wrong))).toMatchObject({
    code: 4,
    message: expect.stringContaining('Cannot log in'),
  });
  const poor = await run('backup', ...socket, '--user', 'nobody_much', '--password-file', join(folder, 'db-password'));
  expect(failed(poor)).toMatchObject({ message: expect.stringMatching(/RELOAD/) });
  expect(poor.code).not.toBe(0);
  expect(failed(await run('backup', '--socket', '/nonexistent/sock'))).toMatchObject({
    code: 1,
    message: expect.stringContaining('/nonexistent/sock'),
  });
  const nothing = await holdfast(['backup', ...connection], { env: { ...environment(), PATH: '/nonexistent' } });
  expect(failed(nothing)).toMatchObject({ code: 1, message: expect.stringContaining('no tool fits') });
  expect([poor, nothing].map(({ stdout, stderr }) => stdout + stderr).join('')).not.toContain('secret-word');
});

test('Ctrl-C ends a backup and its tool; --resume goes on with it', async () => {
  let interrupted = false;
  const held = await holdBackups(server);
  const ended = await holdfast(['backup', '--service', 'app', '--json', '-v', ...connection], {
    path: server.bin,
    env: environment(),
    onStdout: (text, pid) => {
      if (!interrupted && text.includes('"type":"log"')) interrupted = process.kill(pid, 'SIGINT');
    },
  });
  await held[Symbol.asyncDispose]();
  expect(ended.code).toBe(130);
  expect(documentsOf(ended).at(-1)).toMatchObject({ type: 'error', code: 'interrupted', exitCode: 130 });
  expect(toolsOf(server.socket)).toEqual([]);
  const [unsettled] = documentsOf(await run('repository', 'list', '--json')).filter(
    ({ state }) => state === 'unsettled',
  );
  const id = String(unsettled?.['id']);
  const resumed = await run('backup', '--service', 'app', '--resume', id, '--json', ...connection);
  expect(documentsOf(resumed).at(-1)).toMatchObject({ type: 'result', id });
  // Asked for again, it is complete already.
  const again = await run('backup', '--service', 'app', '--resume', id, '--json', ...connection);
  const [before, after] = [resumed, again].map((done) => documentsOf(done).at(-1)?.['sealedAt']);
  expect(after).toBe(before);
});

/** Backup tools that have this server's files or socket open. */
function toolsOf(socket: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return /mariadb-backup|mariabackup/.test(line) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(socket)
          ? [line]
          : [];
      } catch {
        return [];
      }
    });
}

test('a restore in place: the server is stopped, gets its old rows back, and what was there is kept', async () => {
  await server.query('DELETE FROM app.t WHERE id > 10');
  const start = join(folder, 'start.sh');
  const log = join(folder, 'log');
  const words = readFileSync(`/proc/${server.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  const pidFile = join(folder, 'pid');
  await writeFile(start, `#!/bin/sh\nsetsid ${quoted} </dev/null >${log} 2>&1 &\necho $! >${pidFile}\n`, {
    mode: 0o755,
  });
  stack.defer(() => void process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL'));
  const done = await run(
    'restore',
    'latest',
    '--in-place',
    '--yes',
    '--json',
    ...connection,
    '--stop-command',
    `/bin/sh -c "kill -TERM ${server.pid}"`,
    '--start-command',
    start,
  );
  expect(done.code, done.stdout).toBe(0);
  const result = documentsOf(done).at(-1);
  expect(result).toMatchObject({ type: 'result', target: server.dataDirectory, old: expect.any(String) });
  expect(await server.query('SELECT COUNT(*) FROM app.t')).toEqual([['50000']]);
  expect(await readdir(String(result?.['old']))).toContain('ibdata1');
});
