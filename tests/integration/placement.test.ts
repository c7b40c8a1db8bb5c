import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { guardFor } from '../../src/core/guards.ts';
import { giveTo, ownershipFor, ownershipOf } from '../../src/core/ownership.ts';
import { placeRestored } from '../../src/core/placement.ts';
import { replaceData, type ReplaceOptions } from '../../src/core/replace-data.ts';
import { type Command, stopServer } from '../../src/core/server-control.ts';
import { findServerUsing } from '../../src/core/server-using.ts';
import { Sql } from '../../src/engine/sql.ts';
import { newDataDirectory } from '../support/data-directory.ts';
import { startMariadb } from '../support/servers.ts';
import { serverUser } from '../support/server-user.ts';

const run = promisify(execFile);
const signal = new AbortController().signal;
const bin = process.env['HOLDFAST_TEST_MARIADB_10_11'] ?? '';
const guard = guardFor({ vendor: 'MariaDB', version: '10.11.19' });

let shared: string;
let root: string;
let target: string;
let prepared: string;
let old: string;

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'hf-place-'));
  await using source = await startMariadb({ bin });
  await source.query(
    'CREATE DATABASE app; CREATE TABLE app.t (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO app.t VALUES (1), (2), (3)',
  );
  const tool = join(bin, 'mariadb-backup');
  await run(tool, [
    '--no-defaults',
    '--backup',
    '--user=root',
    `--socket=${source.socket}`,
    `--target-dir=${join(shared, 'backup')}`,
  ]);
  await run(tool, ['--no-defaults', '--prepare', `--target-dir=${join(shared, 'backup')}`]);
});
afterAll(() => rm(shared, { recursive: true }));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hf-place-'));
  [target, prepared, old] = [join(root, 'data'), join(root, '.holdfast-restore-1'), join(root, '.holdfast-old-1')];
  await newDataDirectory({ bin, into: target, user: serverUser() });
  await cp(join(shared, 'backup'), prepared, { recursive: true });
  await serverUser().own(root);
  await giveTo(prepared, (await ownershipOf(target)) ?? ownershipFor(serverUser()), { signal });
  await run('/bin/sh', ['-c', startScript()]);
  await expect.poll(answers, { timeout: 20_000 }).toBe(true);
});
afterEach(async () => {
  await stopServer({ type: 'commands', ...commands() }, { dataDirectory: target, answers, limitMs: 20_000, signal });
  await rm(root, { recursive: true });
});

/** As a host without systemd does it: the server goes on after the command that starts it has ended. */
function startScript(): string {
  const { arguments: user } = serverUser();
  const args = [
    '--no-defaults',
    ...user,
    `--datadir=${target}`,
    `--socket=${root}/s.sock`,
    `--pid-file=${root}/pid`,
    '--skip-networking',
    '--innodb-buffer-pool-size=32M',
  ];
  return `setsid ${join(bin, 'mariadbd')} ${args.join(' ')} >>${root}/log 2>&1 &`;
}

function commands(): { start: Command; stop: Command } {
  return {
    start: ['/bin/sh', '-c', startScript()],
    stop: ['/bin/sh', '-c', `[ ! -e ${root}/pid ] || kill $(cat ${root}/pid)`],
  };
}

async function answers(): Promise<boolean> {
  return query('SELECT 1').then(
    () => true,
    () => false,
  );
}

async function query(sql: string): Promise<unknown> {
  await using connection = await Sql.connect({ socket: join(root, 's.sock'), user: 'root' }, { signal });
  return connection.query(sql);
}

function replace(more: Partial<ReplaceOptions> = {}): { steps: string[]; done: ReturnType<typeof replaceData> } {
  const steps: string[] = [];
  const done = replaceData({
    control: { type: 'commands', ...commands() },
    server: { answers, limitMs: 20_000 },
    place: { id: '1', prepared, target, old, guard },
    signal,
    onStep: (step) => steps.push(step),
    ...more,
  });
  return { steps, done };
}

test('a running server gets the restored data, and its old data is kept', async () => {
  const { steps, done } = replace();
  const placement = await done;
  expect(steps).toEqual(['stop', 'place', 'start']);
  expect(await query('SELECT COUNT(*) AS n FROM app.t')).toEqual([{ n: '3' }]);
  expect(placement.old).toBe(old);
  expect(await readdir(old)).toContain('ibdata1');
  const { uid, gid } = serverUser();
  expect(await stat(join(target, 'app', 't.ibd'))).toMatchObject({ uid, gid });
});

test('a server that does not start on the restored data runs on its old data again', async () => {
  await writeFile(join(prepared, 'ibdata1'), 'damaged');
  const { steps, done } = replace({ server: { answers, limitMs: 15_000 } });
  await expect(done).rejects.toMatchObject({ code: 'restored-server-silent' });
  expect(steps).toEqual(['stop', 'place', 'start', 'roll-back']);
  expect(await query("SHOW DATABASES LIKE 'app'")).toEqual([]);
  expect(await readFile(join(prepared, 'ibdata1'), 'utf8')).toBe('damaged');
});

test('a server that cannot be stopped keeps its data', async () => {
  const { done } = replace({
    control: { type: 'commands', ...commands(), stop: ['/bin/true'] },
    server: { answers, limitMs: 2_000 },
  });
  await expect(done).rejects.toMatchObject({ code: 'server-still-up', message: expect.stringContaining(target) });
  expect(await answers()).toBe(true);
});

describe('a stop that does not come to its end leaves the server running on its old data', () => {
  const kill = 'kill $(cat $root/pid)';
  test.each([
    ['is cancelled when it has begun', `${kill}; exec sleep 60`, 'no more'],
    ['is cancelled, and goes on elsewhere', `(sleep 2; ${kill}) <&- >&- 2>&- & exec sleep 60`, 'no more'],
    ['takes longer than its limit', `${kill}; exec sleep 60`, 'server-stop-failed'],
  ])('where it %s', async (_, script, reason) => {
    const isCancelled = reason === 'no more';
    const controller = new AbortController();
    const { done } = replace({
      signal: controller.signal,
      control: { type: 'commands', ...commands(), stop: detached(script) },
      server: { answers, limitMs: isCancelled ? 20_000 : 12_000 },
      onStep: () => isCancelled && setTimeout(() => controller.abort(new Error('no more')), 500),
    });
    await expect(done).rejects.toMatchObject(isCancelled ? { message: reason } : { code: reason });
    expect(await query("SHOW DATABASES LIKE 'app'")).toEqual([]);
    await sleep(2_000);
    expect(await answers()).toBe(true);
  });

  test('or says that it must be started by hand', async () => {
    const control = { type: 'commands', stop: detached(`${kill}; sleep 1; exit 3`), start: ['/bin/false'] } as const;
    await expect(replace({ control }).done).rejects.toMatchObject({
      code: 'roll-back-failed',
      message: expect.stringContaining(target),
      nextStep: expect.stringContaining('Start the server by hand; its data was not changed'),
    });
    expect(await answers()).toBe(false);
  });

  /** What it starts in the background is in a group of its own, as what systemd or the server does is in none of a client's. */
  function detached(script: string): Command {
    return ['/bin/bash', '-c', `set -m; root=${root}; ${script}`];
  }
});

test('a restore cancelled before it is in place leaves the server running on its old data', async () => {
  const controller = new AbortController();
  const { done } = replace({
    signal: controller.signal,
    onStep: (step) => step === 'place' && controller.abort(new Error('no more')),
  });
  await expect(done).rejects.toThrow('no more');
  expect(await query("SHOW DATABASES LIKE 'app'")).toEqual([]);
});

test('a running server is found by its files, and a restore onto it is refused', async () => {
  const found = await findServerUsing(target);
  expect(found?.path).toContain(target);
  expect(String(found?.pid)).toBe((await readFile(join(root, 'pid'), 'utf8')).trim());
  await expect(placeRestored({ id: '1', prepared, target, old, guard, signal })).rejects.toMatchObject({
    code: 'server-running',
    message: expect.stringContaining(`process ${found?.pid}`),
  });
  expect(await findServerUsing(old)).toBeUndefined();
});

test('in a mounted file system the old data stays inside it, under a name that the server does not mistake', async () => {
  const inside = { prepared: join(target, '.holdfast-restore-1'), old: join(target, '.holdfast-old-1') };
  await mkdir(inside.prepared);
  for (const name of await readdir(prepared))
    await cp(join(prepared, name), join(inside.prepared, name), { recursive: true });
  await giveTo(inside.prepared, ownershipFor(serverUser()), { signal });
  await replace({ place: { id: '1', target, guard, ...inside } }).done;
  expect(await query('SELECT COUNT(*) AS n FROM app.t')).toEqual([{ n: '3' }]);
  expect(
    await query("SELECT COUNT(*) AS n FROM information_schema.TABLES WHERE TABLE_SCHEMA LIKE '%holdfast%'"),
  ).toEqual([{ n: '0' }]);
  expect(await readdir(inside.old)).toContain('ibdata1');
});
