import { readdir, readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { usage as benchUsage } from '../bench/options.ts';
import { cliReference } from '../support/cli-reference.ts';

const program = createProgram(async () => undefined);

test('docs/cli.md says what --help knows', async () => {
  await expect(cliReference(program)).toMatchFileSnapshot('../../docs/cli.md');
});

const option = /(?<![\w-])--[a-z][a-z-]*/g;
/** Of backup tools, servers, curl and `./demo`. */
const optionsOfOthers = [
  '--stream --prepare --incremental-basedir --no-defaults --defaults-extra-file --initialize --cacert --once',
  benchUsage,
].flatMap((text) => text.match(option));

test('every option that the documentation names is one', async () => {
  const known = new Set([...optionsOf(program), ...optionsOfOthers, '--help']);
  const docs = (await readdir('docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  const unknown: string[] = [];
  for (const page of ['README.md', ...docs]) {
    const named = (await readFile(page, 'utf8')).matchAll(option);
    unknown.push(...[...named].filter(([name]) => !known.has(name)).map(([name]) => `${page}: ${name}`));
  }
  expect(unknown).toEqual([]);
});

function optionsOf(command: Command): (string | undefined)[] {
  return [...command.options.map(({ long }) => long), ...command.commands.flatMap((each) => optionsOf(each))];
}
