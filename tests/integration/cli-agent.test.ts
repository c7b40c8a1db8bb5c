import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentHome, makeAgentHome } from '../support/agents.ts';
import { type CliRun, documentsOf, failed, holdfast } from '../support/cli.ts';
import { commandLinesWith } from '../support/command-lines.ts';
import { holdBackups } from '../support/held-backups.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';

const stack = new AsyncDisposableStack();
let server: MariadbServer;
let home: AgentHome;
let agent: ReturnType<typeof spawn>;
let env: Record<string, string>;

const run = (...args: string[]): Promise<CliRun> => holdfast(args, { env, limitMs: 120_000 });

beforeAll(async () => {
  server = stack.use(await startMariadb());
  await server.query(
    'CREATE DATABASE app; USE app; CREATE TABLE t (id INT PRIMARY KEY, v TEXT) SELECT seq AS id, MD5(seq) AS v FROM seq_1_to_50000',
  );
  home = stack.use(await makeAgentHome({ server }));
  const config = join(home.directory, 'agent.json');
  await writeFile(config, JSON.stringify(home.config), { mode: 0o600 });
  const program = new URL('../../src/cli.ts', import.meta.url).pathname;
  agent = spawn(process.execPath, [program, 'agent', '--config', config, '--log-level', 'error', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stack.defer(() => void agent.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: agent.stdout ?? process.stdin }), 'line');
  const ready: { url: string; fingerprint: string; tokenFile: string } = JSON.parse(String(line));
  env = {
    HOLDFAST_URL: ready.url,
    HOLDFAST_FINGERPRINT: ready.fingerprint,
    HOLDFAST_TOKEN_FILE: ready.tokenFile,
  };
});
afterAll(() => stack.disposeAsync());

test('a backup on the agent: the first line says where, the figures are those of a backup here', async () => {
  const token = (await readFile(join(home.state, 'token'), 'utf8')).trim();
  const work = run('backup', '--service', 'db1', '--folder', 'db1', '-v');
  expect(await commandLinesWith([token], work)).toEqual([]);
  const { code, stdout, stderr } = await work;
  expect(code, stderr).toBe(0);
  expect(stdout.split('\n')[0]).toBe(`Running on the agent at ${env['HOLDFAST_URL']}.`);
  expect(stdout).toMatch(/\nBackup \S+ of db1 is complete\.\n {2}Server +MariaDB /);
  expect(stderr).toContain('completed OK!');
});

test('a drill and a restore of it, found by a short name in the repository', async () => {
  const repository = ['-r', join(home.store, 'db1'), '--folder', 'db1'];
  const drilled = await run('drill', 'latest', ...repository, '--json');
  const lookedUp = { env: { ...env, HOLDFAST_KEY_FILE: home.keyFile } };
  expect(drilled.code, drilled.stdout).toBe(0);
  expect(documentsOf(drilled)[0]).toEqual({ type: 'start', where: 'agent', agent: env['HOLDFAST_URL'] });
  expect(documentsOf(drilled).at(-1)).toMatchObject({ type: 'result', tables: expect.any(Number) });
  const target = join(home.restores, 'one');
  const restored = await holdfast(['restore', 'latest', '--to', target, ...repository], lookedUp);
  expect(restored, restored.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining(`into ${target}.`) });
  const again = failed(await holdfast(['restore', 'latest', '--to', target, ...repository], lookedUp));
  expect(again).toMatchObject({ code: 6, message: expect.stringContaining('not empty') });
  expect(failed(await run('drill', 'latest'))).toMatchObject({ code: 2, message: expect.stringContaining('whole id') });
  expect(failed(await run('restore', '20260101T000000Z-00000000', '--to', target, '--folder', 'db1')).code).toBe(3);
});

test('Ctrl-C leaves the job to the agent, and says so', async () => {
  let interrupted = false;
  const held = await holdBackups(server);
  const left = await holdfast(['backup', '--service', 'db1', '--folder', 'left', '--json'], {
    env,
    onStdout: (text, pid) => {
      if (!interrupted && text.includes('"type":"progress"')) interrupted = process.kill(pid, 'SIGINT');
    },
  });
  await held[Symbol.asyncDispose]();
  expect(left.code).toBe(130);
  const documents = documentsOf(left);
  expect(documents.at(-2)).toMatchObject({ type: 'left', kind: 'backup' });
  await expect
    .poll(async () => documentsOf(await holdfast(['repository', 'list', '-r', join(home.store, 'left'), '--json'])), {
      timeout: 30_000,
      interval: 500,
    })
    .toMatchObject([{ id: documents.at(-2)?.['id'], state: 'sealed' }]);
});

test('whom it does not trust, and who does not trust it', async () => {
  const wrong = join(home.directory, 'wrong-token');
  await writeFile(wrong, 'not-the-token\n', { mode: 0o600 });
  expect(failed(await run('backup', '--token-file', wrong))).toMatchObject({ code: 4 });
  expect(failed(await run('backup', '--fingerprint', 'ab'.repeat(32)))).toMatchObject({ code: 4 });
  expect(failed(await run('backup', '--fingerprint', 'ab'))).toMatchObject({ code: 2 });
  expect(failed(await run('backup', '--location', 'nowhere'))).toMatchObject({ code: 2 });
  expect(failed(await run('backup', '--folder', '../x'))).toMatchObject({ code: 2 });
  expect(failed(await run('backup', '--socket', '/x'))).toMatchObject({
    code: 2,
    message: expect.stringContaining('--socket'),
  });
  expect(failed(await run('backup', '--agent', 'https://127.0.0.1:1'))).toMatchObject({ code: 1 });
  expect(failed(await run('backup', '--agent', 'http://x'))).toMatchObject({ code: 2 });
  expect(failed(await run('backup', '--agent', ''))).toMatchObject({
    code: 2,
    message: expect.stringContaining('no repository'),
  });
});

test('SIGTERM ends the agent well', async () => {
  agent.kill('SIGTERM');
  expect(await once(agent, 'exit')).toEqual([0, null]);
});
