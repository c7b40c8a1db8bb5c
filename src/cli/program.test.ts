import { execFileSync } from 'node:child_process';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { completionScript, completionShells } from './completion.ts';
import { isRunnable } from './define.ts';
import { createProgram } from './program.ts';

const program = createProgram(async () => undefined);

function commandsBelow(command: Command, path: string): [string, Command][] {
  return command.commands.flatMap((each): [string, Command][] => {
    const name = `${path} ${each.name()}`;
    return [[name, each], ...commandsBelow(each, name)];
  });
}

const leaves = commandsBelow(program, 'holdfast').filter(([, command]) => isRunnable(command));

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

test('the commands that were promised are there', () => {
  expect(leaves.map(([path]) => path.slice('holdfast '.length))).toEqual(
    expect.arrayContaining([
      'backup',
      'restore',
      'drill',
      'agent',
      'completion',
      ...['init', 'list', 'show', 'check', 'delete', 'prune', 'abandon', 'pin', 'unpin', 'export'].map(
        (name) => `repository ${name}`,
      ),
      ...['list', 'add', 'remove'].map((name) => `repository key ${name}`),
      ...['list', 'show', 'follow', 'cancel', 'retry', 'pin', 'unpin', 'delete'].map((name) => `backup ${name}`),
      ...['restore', 'drill'].flatMap((kind) => ['list', 'show', 'follow', 'cancel'].map((name) => `${kind} ${name}`)),
      ...['service', 'storage'].flatMap((kind) =>
        ['list', 'show', 'add', 'edit', 'test', 'remove'].map((name) => `${kind} ${name}`),
      ),
      ...['list', 'show', 'token', 'remove'].map((name) => `agent ${name}`),
      ...['create', 'list', 'remove'].map((name) => `token ${name}`),
    ]),
  );
});

test.each(leaves)('%s teaches: a sentence, examples of itself, and options that are explained', (path, command) => {
  const help = helpOf(command);
  expect(help).toContain('\nExamples:\n  # ');
  expect(help.split('\nExamples:\n')[1]).toContain(`${path}`);
  expect(command.description()).toMatch(/^[A-Z].*\.$/s);
  for (const option of command.options) expect(option.description, option.flags).not.toBe('');
});

/** Every option that an example names must exist where it is used. */
test.each(leaves)('the examples of %s are understood', (path, command) => {
  const lines = helpOf(command)
    .split('\n')
    .filter((line) => line.startsWith(`  ${path}`));
  expect(lines.length).toBeGreaterThan(0);
  const known = new Set([...command.options, ...program.options].flatMap(({ long, short }) => [long, short]));
  for (const line of lines) {
    const [own = ''] = line.split('|');
    for (const [, flag] of own.matchAll(/ (--?[a-zA-Z][a-z-]*)/g)) expect(known, line).toContain(flag);
  }
});

function completed(script: string, words: readonly string[]): string[] {
  const last = words.length - 1;
  const list = words.map((word) => `'${word}'`).join(' ');
  const call = `COMP_WORDS=(${list}); COMP_CWORD=${last}; _holdfast; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const printed = execFileSync('bash', ['--norc', '-uc', `${script}\n${call}`], { encoding: 'utf8' });
  return printed.split('\n').filter((word) => word !== '');
}

test.each([
  [
    ['holdfast', ''],
    ['backup', 'restore', 'drill', 'repository', '--help'],
  ],
  [['holdfast', 'rep'], ['repository']],
  [['holdfast', 'repository', 'ch'], ['check']],
  [
    ['holdfast', 'repository', '-r', '/x', 'key', ''],
    ['list', 'add', 'remove', '--json'],
  ],
  [['holdfast', 'repository', 'check', '--read'], ['--read-data']],
  [['holdfast', 'backup', '--service', 'agent', '--compr'], ['--compression']],
  [['holdfast', 'completion', 'z'], ['zsh']],
  [['holdfast', 'backup', '--passphrase-file', '/etc/passw'], ['/etc/passwd']],
])('bash completes %j', (words, expected) => {
  expect(completed(completionScript(program, 'bash'), words)).toEqual(expect.arrayContaining(expected));
});

test('a command below one that has options of the same name gets them', async () => {
  const seen: unknown[] = [];
  const running = createProgram(
    async (command) => void seen.push([command.name(), command.args, command.optsWithGlobals()]),
  );
  const words = ['backup', 'list', '--service', 'shop', '--manager', 'http://localhost:7440', '--json'];
  await running.parseAsync(words, { from: 'user' });
  await running.parseAsync(['restore', 'some-backup', '--to', '/srv/x'], { from: 'user' });
  expect(seen).toEqual([
    ['list', [], expect.objectContaining({ service: 'shop', manager: 'http://localhost:7440' })],
    ['restore', ['some-backup'], expect.objectContaining({ to: '/srv/x' })],
  ]);
});

test('bash offers nothing that does not fit', () => {
  expect(completed(completionScript(program, 'bash'), ['holdfast', 'repository', 'check', 'ba'])).toEqual([]);
});

test.each(completionShells)('the script for %s knows every command and every option', (shell) => {
  const script = completionScript(program, shell);
  for (const [path, command] of leaves) {
    expect(script).toContain(path.split(' ').at(-1));
    for (const { long } of command.options) expect(script).toContain(shell === 'fish' ? ` -l ${long?.slice(2)}` : long);
  }
});
