import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findServerUsing } from '../../../src/core/server-using.ts';
import { failed, holdfast } from '../../support/cli.ts';
import { randomSource } from '../../support/pieces.ts';
import { type ProtectedServer, startProtectedServer } from '../../support/protected-server.ts';
import { startMariadb } from '../../support/servers.ts';

const kills = Math.ceil(Number(process.env['HOLDFAST_KILLS'] ?? 60) / 6);
const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const random = randomSource(seed);

const steps = {
  restore: ['download', 'prepare', 'sync', 'place'],
  drill: ['download', 'prepare', 'sync', 'start', 'check'],
} as const;

let server: ProtectedServer;
let repository: readonly string[];
/** Of the killed processes. */
let temporary: string;

beforeAll(async () => {
  server = await startProtectedServer();
  repository = await server.newRepository('store');
  temporary = await mkdtemp(join(tmpdir(), 'hf-tmp-'));
  const { code, stderr } = await server.backUp(repository);
  if (code !== 0) throw new Error(stderr);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(temporary, { recursive: true, force: true });
});

/** Instants spread over a step that lasts about so long; `place` is little more than one rename. */
function instant(step: string): number {
  return random() * ({ download: 150, place: 1 }[step] ?? 40);
}

/** Runs the command and kills it so long after it began this step. @returns false when it had ended before */
async function killed(args: readonly string[], kill: { step: string; afterMs: number }): Promise<boolean> {
  const program = new URL('../../../src/cli.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  let printed = '';
  let killing: Promise<void> | undefined;
  child.stderr.on('data', (part: Buffer) => {
    printed += part.toString();
    if (printed.split('\n').includes(kill.step)) killing ??= sleep(kill.afterMs).then(() => void child.kill('SIGKILL'));
  });
  await once(child, 'close');
  await killing;
  return child.signalCode === 'SIGKILL';
}

/** Programs of the database that use this directory: a drill's server names it in its file only, and holds its files. */
async function programsUsing(directory: string): Promise<string[]> {
  const commands = await Promise.all(
    (await readdir('/proc')).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  const found = commands.filter((command) => /mariadb/.test(command) && command.includes(directory));
  const server = await findServerUsing(directory);
  return [...found.map((command) => command.replaceAll('\0', ' ')), ...(server === undefined ? [] : [server.command])];
}

async function expectNoPrograms(directory: string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while ((await programsUsing(directory)).length > 0 && performance.now() < deadline) await sleep(10);
  expect(await programsUsing(directory), `seed ${seed}`).toEqual([]);
}

describe('killed at any instant', { timeout: 300_000 + kills * 20_000 }, () => {
  it('a restore leaves the target absent or complete, and can be made again', async () => {
    const folder = join(server.folder, 'restores');
    await mkdir(folder);
    const counts = new Map<string, number>();
    for (let tries = 0; tries < kills; tries += 1) {
      const target = join(folder, `target-${tries}`);
      const args = ['restore', 'latest', '--to', target, '--state-dir', join(server.folder, 'state'), ...repository];
      const step = steps.restore[tries % steps.restore.length] ?? 'place';
      const isKilled = await killed(args, { step, afterMs: instant(step) });
      const isThere = (await readdir(folder)).includes(`target-${tries}`);
      await expectNoPrograms(folder);
      counts.set(isKilled ? step : 'none', (counts.get(isKilled ? step : 'none') ?? 0) + 1);
      if (!isThere) {
        expect(isKilled).toBe(true);
        const again = await holdfast(args);
        expect(failed(again), `seed ${seed}: ${again.stderr}`).toMatchObject({ code: 0 });
        // What was prepared may be large: the next restore says where it is, and a person removes it.
        const left = (await readdir(folder)).filter((name) => name.startsWith('.holdfast-restore-'));
        for (const name of left) {
          expect(again.stderr).toContain(join(folder, name));
          await rm(join(folder, name), { recursive: true });
        }
      }
      // Every fourth one is started; the others are known to be complete by the one rename that puts them there.
      if (tries % 4 === 3) await expectComplete(target);
      await rm(target, { recursive: true });
    }
    process.stdout.write(`restore killed, seed ${seed}: ${[...counts].map((each) => each.join(' ')).join(', ')}\n`);
  });

  it('a drill leaves no server, and its directory goes with the next drill', async () => {
    const folder = join(server.folder, 'drills');
    await mkdir(folder, { mode: 0o755 });
    const args = ['drill', 'latest', '--owner', 'nobody', '--directory', folder, ...repository];
    const counts = new Map<string, number>();
    for (let tries = 0; tries < kills; tries += 1) {
      const step = steps.drill[tries % steps.drill.length] ?? 'start';
      const isKilled = await killed(args, { step, afterMs: instant(step) });
      counts.set(isKilled ? step : 'none', (counts.get(isKilled ? step : 'none') ?? 0) + 1);
      await expectNoPrograms(folder);
      expect((await readdir(folder)).length, `seed ${seed}`).toBeLessThanOrEqual(1);
    }
    const last = await holdfast(args, { env: { TMPDIR: temporary } });
    expect(failed(last), `seed ${seed}: ${last.stderr}`).toMatchObject({ code: 0 });
    expect(await readdir(folder)).toEqual([]);
    process.stdout.write(`drill killed, seed ${seed}: ${[...counts].map((each) => each.join(' ')).join(', ')}\n`);
  });
});

async function expectComplete(target: string): Promise<void> {
  await server.database.user.own(target);
  await using restored = await startMariadb({ bin: server.database.bin, dataDirectory: target });
  const checksum = 'CHECKSUM TABLE app.notes';
  expect(await restored.query(checksum)).toEqual(await server.database.query(checksum));
}
