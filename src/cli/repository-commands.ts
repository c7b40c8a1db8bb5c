import type { Command } from 'commander';
import { define, type Definition, option, type Runner } from './define.ts';
import { label } from './parse-options.ts';

const yes = option('-y, --yes', 'do not ask for confirmation');
const ofService = option('--service <name>', 'of "latest": only backups of this service');

/** `holdfast repository …`: works on a bucket or directory alone. */
export function defineRepository(program: Command, run: Runner): void {
  const group = program
    .command('repository')
    .summary('look after a repository: the folder of a bucket or a directory that holds backups')
    .description(
      'Look after a repository: the folder of a bucket or a directory that holds backups.\n\nThese commands need nothing but the repository: no server, no agent. Ids may be shortened to their first characters, and "latest" is the newest complete backup.',
    );
  for (const definition of [...reading, ...changing]) define(group, definition, run);
  const keys = group
    .command('key')
    .summary('the ways into an encrypted repository: passphrases and key files')
    .description('The ways into an encrypted repository: passphrases and key files.');
  for (const definition of keyCommands) define(keys, definition, run);
}

const reading: readonly Definition[] = [
  {
    usage: 'list',
    summary: 'list the backups, with what is known of each',
    description:
      'Needs no key; without one nothing is verified. What is known of a backup climbs from "sealed" (complete) to "checked" (every byte read back) and "proven" (restored, started and queried).',
    options: [
      option('--service <name>', 'only backups of this service'),
      option('-a, --all', 'also what was given up'),
    ],
    examples: [
      ['holdfast repository list -r /srv/backups', 'what is there'],
      ['holdfast repository list -r /srv/backups --json | jq -r "select(.type==\\"backup\\").id"', 'ids, for a script'],
    ],
    load: async () => (await import('./repository/list.ts')).listCommand,
  },
  {
    usage: 'show <id>',
    summary: 'show all that is known of one backup',
    options: [option('--log', 'also what the tools printed when it was made'), ofService],
    examples: [
      ['holdfast repository show latest -r /srv/backups', 'the newest backup'],
      ['holdfast repository show 20261121T0143 --log -r /srv/backups --passphrase-file pass', 'one, with its log'],
    ],
    load: async () => (await import('./repository/show.ts')).showCommand,
  },
  {
    usage: 'check [ids...]',
    summary: 'verify backups: their indexes, and with --read-data every byte',
    description:
      'Without ids, all of them. A backup whose data was read and is good is noted as checked; segments that are bad are noted, so that no new backup leans on them. Exit code 5 when something is damaged.',
    options: [option('--read-data', 'read back every block and verify it'), ofService],
    examples: [
      ['holdfast repository check -r /srv/backups --passphrase-file pass', 'every index, and that nothing is missing'],
      [
        'holdfast repository check latest --read-data -r /srv/backups --passphrase-file pass',
        'every byte of the newest one',
      ],
    ],
    load: async () => (await import('./repository/check.ts')).checkCommand,
  },
  {
    usage: 'export <id>',
    summary: 'write a backup as a plain xbstream: the way out',
    description:
      'mbstream or xbstream extracts it; prepare it then with mariadb-backup or xtrabackup. Everything is verified on the way.',
    options: [option('-o, --output <file>', 'a new file; "-" is stdout').default('-'), ofService],
    examples: [
      ['holdfast repository export latest -r /srv/backups | mbstream -x -C /var/tmp/restored', 'extract it at once'],
      ['holdfast repository export latest -r /srv/backups -o backup.xbstream', 'into a file'],
    ],
    load: async () => (await import('./repository/export.ts')).exportCommand,
  },
];

const changing: readonly Definition[] = [
  {
    usage: 'init',
    summary: 'make a new repository in an empty folder',
    description:
      'Tries the store first. Say how it is encrypted with --passphrase-file or --key-file; that cannot be changed later, and without passphrase or key file nobody can read the backups. Store them elsewhere, too.',
    options: [
      option('--no-encryption', 'store backups readable for everyone who can read the store'),
      option('--label <text>', 'for people: whose passphrase or key file this is').argParser(label),
    ],
    examples: [
      ['holdfast repository init -r /srv/backups --passphrase-file /etc/holdfast/passphrase', 'in a directory'],
      [
        'holdfast repository init -r "s3://bucket/db1?endpoint=https://s3.example.net" --key-file /etc/holdfast/key',
        'in a bucket of any S3 store',
      ],
      ['head -c 32 /dev/urandom > /etc/holdfast/key', 'how a key file is made'],
    ],
    load: async () => (await import('./repository/init.ts')).initCommand,
  },
  {
    usage: 'delete <ids...>',
    summary: 'delete backups; their data goes with the first prune a day later',
    description: 'Every backup restores by itself, so any may be deleted first. Pinned ones are refused.',
    options: [yes, option('--reason <text>', 'kept with the mark').argParser(label)],
    examples: [
      ['holdfast repository delete 20261121T014327Z-9f3a21bc -r /srv/backups --passphrase-file pass', 'asks first'],
      ['holdfast repository delete 20261121T01 --yes -r /srv/backups --passphrase-file pass', 'does not ask'],
    ],
    load: async () => (await import('./repository/delete.ts')).deleteCommand,
  },
  {
    usage: 'prune',
    summary: 'remove the data of deleted and abandoned backups that nothing needs',
    description:
      'A backup that has been deleted for less than 24 hours keeps its data, as does everything that a backup under way may lean on. Attempts of which nothing was heard for seven days are given up.',
    options: [option('-n, --dry-run', 'only say what would go')],
    examples: [
      ['holdfast repository prune --dry-run -r /srv/backups --passphrase-file pass', 'what would go'],
      ['holdfast repository prune -r /srv/backups --passphrase-file pass', 'daily, from cron'],
    ],
    load: async () => (await import('./repository/prune.ts')).pruneCommand,
  },
  {
    usage: 'abandon <id>',
    summary: 'give up for good a backup that was begun and never finished',
    description: 'If its writer is still at work, it stops: nothing of what it made counts.',
    options: [yes, option('--reason <text>', 'kept with the mark').argParser(label)],
    examples: [['holdfast repository abandon 20261121T0143 -r /srv/backups --passphrase-file pass', 'asks first']],
    load: async () => (await import('./repository/abandon.ts')).abandonCommand,
  },
  {
    usage: 'pin <id>',
    summary: 'keep a backup: it cannot be deleted until it is unpinned',
    options: [option('--reason <text>', 'why it is kept').argParser(label), ofService],
    examples: [['holdfast repository pin latest --reason "before the upgrade" -r /srv/backups', 'keep the newest one']],
    load: async () => (await import('./repository/pin.ts')).pinCommand,
  },
  {
    usage: 'unpin <id>',
    summary: 'let a pinned backup be deleted again',
    options: [option('--reason <text>', 'why it is not needed any more').argParser(label)],
    examples: [['holdfast repository unpin 20261121T0143 -r /srv/backups', 'it may be deleted again']],
    load: async () => (await import('./repository/pin.ts')).unpinCommand,
  },
];

const keyCommands: readonly Definition[] = [
  {
    usage: 'list',
    summary: 'list the key slots; needs no key',
    examples: [['holdfast repository key list -r /srv/backups', 'whose passphrases and key files open it']],
    load: async () => (await import('./repository/key.ts')).keyListCommand,
  },
  {
    usage: 'add',
    summary: 'add a passphrase or key file; the one given as usual opens the repository',
    options: [
      option('--new-passphrase-file <file>', 'holds the new passphrase'),
      option('--new-key-file <file>', 'the new key file, at least 32 random bytes'),
      option('--label <text>', 'for people: whose it is').argParser(label),
    ],
    examples: [
      [
        'holdfast repository key add --passphrase-file pass --new-key-file db2.key --label db2 -r /srv/backups',
        'let another host in',
      ],
    ],
    load: async () => (await import('./repository/key.ts')).keyAddCommand,
  },
  {
    usage: 'remove <slot>',
    summary: 'remove a passphrase or key file',
    description:
      'The last one stays. Who kept a copy of the slot and knows its passphrase can still read the repository: nothing is encrypted anew.',
    options: [yes],
    examples: [['holdfast repository key remove 9f3a21bc --passphrase-file pass -r /srv/backups', 'asks first']],
    load: async () => (await import('./repository/key.ts')).keyRemoveCommand,
  },
];
