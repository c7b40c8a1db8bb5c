import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../scripts/setup/run.ts';
import { completionScript, completionShells } from '../../src/cli/completion.ts';
import { createProgram } from '../../src/cli/program.ts';

const pressTab = new URL('../fixtures/press-tab.zsh', import.meta.url).pathname;
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-tab-'));
  const program = createProgram(async () => undefined);
  for (const shell of completionShells) await writeFile(join(folder, `_${shell}`), completionScript(program, shell));
  // Where a shell looks for it by itself.
  await writeFile(join(folder, '_holdfast'), completionScript(program, 'zsh'));
  await writeFile(join(folder, 'holdfast'), `#!/bin/sh\nprintf '<%s>\\n' "$*"\n`, { mode: 0o755 });
  env = { PATH: [folder, process.env['PATH']].join(delimiter), HOME: folder, TERM: 'dumb' };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const compinit = 'autoload -Uz compinit; compinit -D -u';

test.each([
  ['bash', 'sourced', () => `source ${folder}/_bash`, ['bash', '--norc', '-i']],
  ['zsh', 'found in its path', () => `fpath=(${folder} $fpath); ${compinit}`, ['zsh', '-f', '-i']],
  ['zsh', 'sourced', () => `${compinit}; source ${folder}/_zsh`, ['zsh', '-f', '-i']],
] as const)('in %s, %s, the first Tab completes', async (...[, , setup, shell]) => {
  const shown = await run('zsh', ['-f', pressTab, setup(), 'holdfast rest', ...shell], { env, timeoutMs: 60_000 });
  expect(shown).toMatch(/<restore ?>/);
});

test.each([
  ['holdfast rest', 'restore'],
  ['holdfast -r /srv repository ke', 'key'],
  ['holdfast repository key re', 'remove'],
  ['holdfast drill --check', '--checksums'],
  ['holdfast completion f', 'fish'],
])('in fish: %s', async (line, word) => {
  const said = await run('fish', ['--no-config', '-c', `source ${folder}/_fish; complete -C '${line}'`], { env });
  expect(said.split('\n').map((each) => each.split('\t')[0])).toContain(word);
});
