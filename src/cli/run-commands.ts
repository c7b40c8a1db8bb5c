import type { Command, Option } from 'commander';
import { define, type Definition, managerOptions, option, type Runner } from './define.ts';
import type { RunKindWord } from './on-manager/run-kinds.ts';
import { wholeNumber } from './parse-options.ts';

const load = async () => import('./on-manager/runs.ts');
const yes = option('-y, --yes', 'do not ask for confirmation');

const paging: readonly Option[] = [
  option('--search <text>', 'only those with this in their name'),
  option('--sort <column>', 'such as createdAt, or -createdAt for descending'),
  option('--page <number>', 'counted from 1').argParser(wholeNumber({ min: 1, max: 1_000_000 })),
  option('--page-size <count>', 'default 25').argParser(wholeNumber({ min: 1, max: 500 })),
];

/** `holdfast backup list` and the like: what a manager has run, and what is done with it. */
export function defineRuns(parents: readonly Command[], run: Runner): void {
  for (const parent of parents) {
    for (const definition of definitionsOf(parent.name())) {
      const options = [...(definition.options ?? []), ...managerOptions];
      define(parent, { ...definition, options }, run);
    }
  }
}

function definitionsOf(name: string): readonly Definition[] {
  if (name === 'backup') return [...ofEveryKind('backup', 'before-upgrade', backupFilters), ...ofBackups];
  return name === 'restore'
    ? ofEveryKind('restore', 'restore-shop-1', runFilters)
    : ofEveryKind('drill', 'drill-shop-1', runFilters);
}

const state = option('--state <states>', 'only in these states, such as Failed,Cancelled');
const backupFilters: readonly Option[] = [
  state,
  option('--service <names>', 'only of these services, with commas between them'),
  option('--location <names>', 'only in these storage locations'),
  option('--proof <levels>', 'only those known to be sealed, checked or proven'),
];
const runFilters: readonly Option[] = [state, option('--backup <names>', 'only of these backups')];

function ofEveryKind(kind: RunKindWord, name: string, filters: readonly Option[]): readonly Definition[] {
  return [
    {
      usage: 'list',
      summary: `list the ${kind}s of a manager`,
      options: [...filters, ...paging],
      examples: [
        [`holdfast ${kind} list`, 'of the manager that HOLDFAST_URL names'],
        [`holdfast ${kind} list --state Failed --json`, 'for a script'],
      ],
      load: async () => (await load()).listRuns(kind),
    },
    {
      usage: 'show <name>',
      summary: `show all that a manager knows of one ${kind}`,
      options: [option('--log', 'also what was said while it ran')],
      examples: [[`holdfast ${kind} show ${name} --log`, 'with its log']],
      load: async () => (await load()).showRun(kind),
    },
    {
      usage: 'follow <name>',
      summary: `watch a ${kind} of a manager until it ends`,
      description: 'With --verbose also its log. Ends as the command that began it would have ended.',
      examples: [[`holdfast ${kind} follow ${name}`, 'until it ends']],
      load: async () => (await load()).followCommand(kind),
    },
    {
      usage: 'cancel <name>',
      summary: `end a ${kind} of a manager that is under way or waits`,
      examples: [[`holdfast ${kind} cancel ${name}`, 'what it uploaded is of use to the next attempt']],
      load: async () => (await load()).cancelRun(kind),
    },
  ];
}

const ofBackups: readonly Definition[] = [
  {
    usage: 'preflight',
    summary: 'say what would keep a backup by a manager from succeeding',
    description: 'Asks the agent and tries the storage location, as the page Create Backup does. Nothing is begun.',
    options: [
      option('--service <name>', 'which one would be backed up'),
      option('--location <name>', 'where it would be stored; default: the only one there is'),
      option('--folder <path>', 'in it; default: the label of its cluster'),
    ],
    examples: [
      ['holdfast backup preflight --service shop --location main', 'before a change of its server'],
      ['holdfast backup preflight --service shop --location main --json', 'for a script'],
    ],
    load: async () => (await import('./on-manager/preflight.ts')).preflightBackup,
  },
  {
    usage: 'retry <name>',
    summary: 'try a failed backup of a manager once more',
    description: 'What earlier attempts uploaded is not uploaded again.',
    examples: [['holdfast backup retry before-upgrade', 'after what was wrong is mended']],
    load: async () => (await load()).retryBackup,
  },
  {
    usage: 'pin <name>',
    summary: 'keep a backup of a manager from being deleted',
    examples: [['holdfast backup pin before-upgrade', 'until it is unpinned']],
    load: async () => (await load()).pinBackup(true),
  },
  {
    usage: 'unpin <name>',
    summary: 'let a backup of a manager be deleted again',
    examples: [['holdfast backup unpin before-upgrade', 'it can be deleted now']],
    load: async () => (await load()).pinBackup(false),
  },
  {
    usage: 'delete <name>',
    summary: 'delete a backup of a manager from its storage location',
    description:
      'Says first what that frees. No other backup is harmed: each restores by itself. Its space is free a day later.',
    options: [yes],
    examples: [['holdfast backup delete before-upgrade', 'asks for its name to be typed']],
    load: async () => (await load()).deleteBackup,
  },
];
