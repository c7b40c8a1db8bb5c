import type { Command, Option } from 'commander';
import { environmentVariables } from '../../src/cli/config.ts';
import { isRunnable } from '../../src/cli/define.ts';
import { EXIT, exitCodeMeanings } from '../../src/cli/exit-code.ts';

/** docs/cli.md, made from the commands themselves. */
export function cliReference(program: Command): string {
  const codes = Object.entries(EXIT).map(([name, code]) => {
    const meaning = Object.entries(exitCodeMeanings).find(([each]) => each === name)?.[1] ?? '';
    return `| ${code} | ${meaning.replaceAll('|', '\\|')} |`;
  });
  return [
    introduction,
    '## Exit codes',
    ['| code | meaning |', '|---:|---|', ...codes].join('\n'),
    '## Options of every command',
    optionTable(program.options),
    '## Environment',
    'Options that can come from the environment name their variable; the command line goes before it. Besides:',
    [
      '| variable | meaning |',
      '|---|---|',
      ...environmentVariables.map(({ name, meaning }) => `| \`${name}\` | ${meaning} |`),
    ].join('\n'),
    '## Commands',
    ...program.commands.flatMap((command) => sections(command, 'holdfast')),
  ]
    .join('\n\n')
    .concat('\n');
}

const introduction = `# The command line

<!-- The test of the command line compares this file with what \`--help\` knows; \`npx vitest run -u tests/contract/cli-reference.test.ts\` writes it anew. -->

\`holdfast backup\`, \`restore\` and \`drill\` work in their own process, as a tool for cron would, on a running agent (\`--agent\`), or
have a manager see to it (\`--manager\`). \`HOLDFAST_URL\` names either; which of the two it is, is asked (\`--agent ""\` overrules the
variable). The first line of what they print says where they run. What stands below them, as \`holdfast backup list\`, and \`service\`, \`storage\` and
\`token\` are commands to a manager. \`holdfast repository …\` needs nothing but the bucket or directory. Every command explains itself with \`--help\`.

**Output.** Answers go to stdout; progress, warnings and errors to stderr. On a terminal progress is a bar, else a line for each
step and every 10 seconds. With \`--json\` every line of stdout is one JSON document with a \`type\`: \`start\`, \`progress\`, \`log\` (with
\`--verbose\`), \`warning\`, \`backup\`, \`service\` or what else is listed (one for each), \`result\`, and \`error\` as the last line where something
failed, with \`code\` (stable), \`message\`, \`nextStep\`, \`evidence\`, \`causes\` and \`exitCode\`; nothing is written to stderr then.
\`repository export\` writes the backup to stdout, so there all of this goes to stderr.

**Secrets** are never given in options: they would show in process lists. Options name files that hold them.

**Names.** A manager calls a backup by the name that people gave it. **Ids** may be shortened to their first characters; \`latest\` is the newest complete backup. An agent takes whole ids;
a short one is looked up first where \`--repository\` is given as well.

**Ctrl-C** ends what is under way and cleans up; a second one ends the program at once. A restore in place that has stopped the server, or is
about to, first has it running again, or goes on to its end where the restored data is in already. What a backup had uploaded is kept, and
\`holdfast backup --resume ID\` goes on with it. What runs on an agent or for a manager goes on there; on a
terminal you are asked whether to cancel it. A program that is held by a file system that does not answer is ended by force
5 seconds after its last word (a shell shows that as 137).

**Confirmation.** What deletes or replaces something asks on a terminal for a word to be typed, and refuses without one unless
\`--yes\` is given.

**Completion**: \`holdfast completion bash|zsh|fish\` prints a script for the shell.`;

function sections(command: Command, path: string): string[] {
  const name = `${path} ${command.name()}`;
  const parts = [`### ${name}`, command.description()];
  if (isRunnable(command)) {
    parts.push(fenced(`${name} ${usageOf(command)}`));
    if (command.options.length > 0) parts.push(optionTable(command.options));
    parts.push(fenced(examplesOf(command)));
  }
  return [...parts, ...command.commands.flatMap((each) => sections(each, name))];
}

/** Commander says that a command may follow; here each has a section of its own. */
function usageOf(command: Command): string {
  return command.usage().replace(' [command]', '');
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map((option) => {
    const fallback = option.defaultValue === undefined ? '' : `; default ${String(option.defaultValue)}`;
    const choices = option.argChoices ? `; one of ${option.argChoices.join(', ')}` : '';
    const variable = option.envVar === undefined ? '' : `; \`${option.envVar}\``;
    const shown = option.negate ? '' : fallback;
    return `| \`${option.flags}\` | ${option.description.replaceAll('|', '\\|')}${choices}${shown}${variable} |`;
  });
  return ['| option | meaning |', '|---|---|', ...rows].join('\n');
}

function examplesOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  const [, examples = ''] = text.split('\nExamples:\n');
  return examples
    .split('\n')
    .map((line) => line.slice(2))
    .join('\n')
    .trim();
}

function fenced(text: string): string {
  return `\`\`\`sh\n${text}\n\`\`\``;
}
