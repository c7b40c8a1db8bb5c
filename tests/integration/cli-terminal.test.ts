import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensurePython } from '../../scripts/setup/python.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openRepository } from '../../src/repository/repository.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { documentsOf, holdfast } from '../support/cli.ts';
import { randomSource, someBytes } from '../support/pieces.ts';
import { backUp, neverAborted } from '../support/repositories.ts';

const fixture = new URL('../fixtures/on-terminal.py', import.meta.url).pathname;
const program = new URL('../../src/cli.ts', import.meta.url).pathname;
let repository: string;
let id: string;

/** Runs it as a person at a terminal does, who types `typed` when `waited` is shown. */
async function atTerminal(args: readonly string[], ...steps: [waited: string, typed: string][]) {
  const command = [process.execPath, program, ...args, '-r', repository];
  const child = spawn(await ensurePython(), [fixture, JSON.stringify(steps), ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [shown] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { code: child.exitCode, shown: shown.replaceAll('\r\u001B[K', '<cleared>') };
}

beforeAll(async () => {
  repository = await mkdtemp(join(tmpdir(), 'hf-cli-'));
  await holdfast(['repository', 'init', '--no-encryption', '-r', repository]);
  const storage = new DirectoryStorage(repository);
  const opened = await openRepository(storage, { clock: systemClock, signal: neverAborted, unlock: undefined });
  const random = randomSource(1);
  const { sealed } = await backUp(opened, { files: new Map([['ibdata1', someBytes(random, 3_000_000)]]), random });
  id = sealed.backup;
});
afterAll(() => rm(repository, { recursive: true, force: true }));

test('progress is a bar, taken away at the end', async () => {
  const { code, shown } = await atTerminal(['repository', 'check', '--read-data']);
  expect(code).toBe(0);
  expect(shown).toMatch(/<cleared>checking 1 of 1[^\n]*<cleared>\S+ {2}good: /);
});

test('a backup is not written to a terminal', async () => {
  const { code, shown } = await atTerminal(['repository', 'export', 'latest']);
  expect({ code, shown }).toMatchObject({ code: 2, shown: expect.stringContaining('mbstream -x') });
});

test('deleting asks for the id; anything else, Ctrl-C and the end of input leave all as it was', async () => {
  const question = `Type ${id} to go on: `;
  expect(await atTerminal(['repository', 'delete', 'latest'], [question, 'yes\r'])).toMatchObject({
    code: 2,
    shown: expect.stringMatching(/frees \d.* not confirmed/s),
  });
  expect(await atTerminal(['repository', 'delete', 'latest'], [question, '\u0003'])).toMatchObject({ code: 130 });
  expect(await atTerminal(['repository', 'delete', 'latest'], [question, '\u0004'])).toMatchObject({ code: 130 });
  const listed = await holdfast(['repository', 'list', '--json', '-r', repository]);
  expect(documentsOf(listed)).toMatchObject([{ id, state: 'sealed' }]);
  expect(await atTerminal(['repository', 'delete', 'latest'], [question, `${id}\r`])).toMatchObject({
    code: 0,
    shown: expect.stringContaining(`Deleted ${id}.`),
  });
});
