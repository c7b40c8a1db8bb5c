import { Command, Option } from 'commander';
import { defineAgent } from './agent-commands.ts';
import { environmentVariables } from './config.ts';
import { defineCompletion } from './completion-command.ts';
import { exampleText, type Runner } from './define.ts';
import { EXIT, exitCodeMeanings } from './exit-code.ts';
import { defineInventory } from './inventory-commands.ts';
import { defineJobs } from './job-commands.ts';
import { defineManager } from './manager-commands.ts';
import { defineRepository } from './repository-commands.ts';
import { defineRuns } from './run-commands.ts';
import { programVersion } from './version.ts';

/** The whole command line: what there is, not what it does. */
export function createProgram(run: Runner): Command {
  const program = new Command('holdfast')
    .description('Physical backups of MySQL, Percona Server and MariaDB that are known to restore.')
    .version(programVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command, with examples')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .showHelpAfterError('(add --help for what a command takes)')
    .exitOverride();
  for (const option of globalOptions()) program.addOption(option);
  program.addHelpText('after', () => afterHelp());
  defineRuns(defineJobs(program, run), run);
  defineManager(program, run);
  const agent = defineAgent(program, run);
  defineInventory(program, { agent, run });
  defineRepository(program, run);
  defineCompletion(program, run);
  return program;
}

function globalOptions(): Option[] {
  return [
    new Option('-r, --repository <location>', 'a directory, or s3://bucket/folder?region=…&endpoint=…').env(
      'HOLDFAST_REPOSITORY',
    ),
    new Option('--passphrase-file <file>', 'holds the passphrase of an encrypted repository').env(
      'HOLDFAST_PASSPHRASE_FILE',
    ),
    new Option('--key-file <file>', 'the key file of an encrypted repository').env('HOLDFAST_KEY_FILE'),
    new Option('--json', 'print JSON documents, one on each line'),
    new Option('-q, --quiet', 'print only what was asked for, warnings and errors'),
    new Option('-v, --verbose', 'print also what the tools print, and where errors come from'),
  ];
}

function afterHelp(): string {
  const codes = Object.entries(EXIT).map(([name, code]) => `  ${String(code).padStart(3)}  ${meaningOf(name)}`);
  const variables = environmentVariables.flatMap(({ name, meaning }) => [`  ${name}`, `      ${meaning}`]);
  const examples = exampleText([
    ['holdfast repository init -r /srv/backups --passphrase-file /etc/holdfast/passphrase', 'once'],
    ['holdfast backup -r /srv/backups --passphrase-file /etc/holdfast/passphrase', 'every day, from cron'],
    ['holdfast drill latest -r /srv/backups --passphrase-file /etc/holdfast/passphrase', 'now and then: prove it'],
    ['holdfast repository list -r /srv/backups', 'what is there'],
    [
      'holdfast restore latest --to /var/lib/mysql-restored --owner mysql -r /srv/backups --passphrase-file /etc/holdfast/passphrase',
      'when it is needed',
    ],
  ]);
  return [
    '',
    'Environment (besides what stands beside the options):',
    ...variables,
    '',
    'Exit codes:',
    ...codes,
    examples,
  ].join('\n');
}

function meaningOf(name: string): string {
  return Object.entries(exitCodeMeanings).find(([each]) => each === name)?.[1] ?? '';
}
