import { readdir, readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { cliReference } from '../support/cli-reference.ts';

const program = createProgram(async () => undefined);

test('docs/cli.md says what --help knows', async () => {
  await expect(cliReference(program)).toMatchFileSnapshot('../../docs/cli.md');
});

/** Of backup tools, servers, curl, `./demo` and `npm run bench`. */
const optionsOfOthers =
  '--stream --prepare --incremental-basedir --no-defaults --initialize --cacert --once --size --only'.split(' ');

test('every option that the documentation names is one', async () => {
  const known = new Set([...optionsOf(program), ...optionsOfOthers, '--help']);
  const docs = (await readdir('docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  const unknown: string[] = [];
  for (const page of ['README.md', ...docs]) {
    const named = (await readFile(page, 'utf8')).matchAll(/(?<![\w-])--[a-z][a-z-]*/g);
    unknown.push(...[...named].filter(([option]) => !known.has(option)).map(([option]) => `${page}: ${option}`));
  }
  expect(unknown).toEqual([]);
});

function optionsOf(command: Command): (string | undefined)[] {
  return [...command.options.map(({ long }) => long), ...command.commands.flatMap((each) => optionsOf(each))];
}
