import type { Command, Option } from 'commander';
import { connectionOptions, define, type Definition, option, type Runner, serverOptions } from './define.ts';
import { byteSize, label, wholeNumber } from './parse-options.ts';

const elsewhereOptions: readonly Option[] = [
  option('--manager <url>', 'have a manager see to it, such as https://holdfast.example.net:7440').env('HOLDFAST_URL'),
  option('--agent <url>', 'do it on this agent, such as https://db1.example.net:7443').env('HOLDFAST_URL'),
  ...connectionOptions,
  option(
    '--location <name>',
    "a storage location of the manager, or of the agent's own file; needed where it has several",
  ),
  option('--folder <path>', 'the folder in it that holds the repository'),
].map((each) => each.helpGroup('On a manager or an agent; without --manager and --agent, in this process:'));

const stateDirectory = option(
  '--state-dir <directory>',
  'what is known of data directories; default /var/lib/holdfast or ~/.local/state/holdfast',
).env('HOLDFAST_STATE_DIR');
const memory = option('--memory <size>', 'for applying the redo log, such as 1G').argParser(
  byteSize({ min: 64 * 2 ** 20 }),
);
const ofService = option('--service <name>', 'of "latest": only backups of this service').argParser(label);

const atSource = '--socket /run/mysqld/mysqld.sock';
const agent = '--agent https://db1.example.net:7443 --token-file token --fingerprint 9f3a…';

const manager = '--manager https://holdfast.example.net:7440 --token-file token';
const detach = option('--detach', 'do not wait for the end');

const definitions: readonly Definition[] = [
  {
    usage: 'backup',
    summary: 'back up a database server',
    description:
      'Takes a full backup that costs about what has changed. In this process it must run on the host of the server, as root or as the user of the server. A failed attempt is repeated and uses what was uploaded before.',
    options: [
      option('--service <name>', 'the server, for people; default: the name of this host').argParser(label),
      option('--name <text>', 'of the backup; default: service and time').argParser(label),
      option('--compression <level>', 'level of zstd from 1 to 19; 0 stores bytes as they are')
        .argParser(wholeNumber({ min: 0, max: 19 }))
        .default(1),
      option('--parallel <threads>', 'that the tool copies with').argParser(wholeNumber({ min: 1, max: 64 })),
      option('--locked-stall <seconds>', 'while the server is locked, a longer stall of the store ends the attempt')
        .argParser(wholeNumber({ min: 1, max: 3600 }))
        .default(10),
      option('--retries <count>', 'how often a failed attempt is repeated')
        .argParser(wholeNumber({ min: 0, max: 20 }))
        .default(2),
      option('--resume <id>', 'go on with a backup that failed before, using what it uploaded'),
      ...[
        option('--retry-interval <seconds>', 'between two attempts')
          .argParser(wholeNumber({ min: 1, max: 28_800 }))
          .default(30),
        option('--description <text>', 'for people').argParser(label),
        detach,
      ].map((each) => each.helpGroup('On a manager only:')),
      stateDirectory,
      ...serverOptions,
      ...elsewhereOptions,
    ],
    examples: [
      [`holdfast backup -r /srv/backups --passphrase-file pass ${atSource}`, 'of the server on this host'],
      ['holdfast backup -q -r "s3://bucket/db1?region=eu-central-1" --key-file /etc/holdfast/key', 'from cron'],
      [`holdfast backup ${agent}`, 'of the server beside an agent'],
      [`holdfast backup --service shop --location s3 ${manager}`, 'of a service of a manager'],
    ],
    load: async () => (await import('./backup.ts')).backupCommand,
  },
  {
    usage: 'restore <id>',
    summary: 'restore a backup into a directory, or in place of a data directory',
    description:
      'Everything is downloaded, verified and prepared beside the target before anything is stopped or moved. In place, what was there is kept beside it; when the server does not answer on the restored data, the old data comes back.',
    options: [
      option('--to <directory>', 'absolute; absent or empty'),
      option('--in-place', 'replace the data directory of a server'),
      option('--data-directory <directory>', 'the one to replace; default: what the server says'),
      option('--unit <name>', 'systemd unit that stops and starts the server'),
      option('--stop-command <command>', 'stops the server: the path of a program and its arguments'),
      option('--start-command <command>', 'starts it'),
      option('--control-limit <seconds>', 'for stopping, and for starting until it answers')
        .argParser(wholeNumber({ min: 1, max: 86_400 }))
        .default(600),
      option('--owner <user>', 'of the restored files, where the target does not tell'),
      option('--accept-missing-tables', 'in place: tables that are in no backup may be missing afterwards'),
      option('-y, --yes', 'do not ask for confirmation'),
      ...[
        option('--onto <service>', 'in place of the data of this service, instead of --to and --in-place'),
        option('--on <agent>', 'with --to: on the host of this agent; default: that of the service it was taken of'),
        option('--identity <which>', 'of the restored server: a copy beside its source needs a new one').choices([
          'new',
          'keep',
        ]),
        option('--replication <how>', 'may it replicate when it starts?').choices(['stopped', 'start']),
        option('--plan', 'only say what would happen'),
        detach,
      ].map((each) => each.helpGroup('On a manager only:')),
      memory,
      ofService,
      stateDirectory,
      ...serverOptions,
      ...elsewhereOptions,
    ],
    examples: [
      [
        'holdfast restore latest --to /var/lib/mysql-restored --owner mysql -r /srv/backups --passphrase-file pass',
        'into a directory',
      ],
      [
        'holdfast restore 20261121T0143 --in-place --unit mariadb -r /srv/backups --passphrase-file pass',
        'replace the data of the server on this host',
      ],
      [`holdfast restore 20261121T014327Z-9f3a21bc --in-place ${agent}`, 'of the server beside an agent'],
      [
        `holdfast restore before-upgrade --onto shop-replica --identity new --replication stopped ${manager}`,
        'of a service of a manager, by the name of the backup',
      ],
    ],
    load: async () => (await import('./restore.ts')).restoreCommand,
  },
  {
    usage: 'drill <id>',
    summary: 'prove a backup: restore it, start a server on it, check every table',
    description:
      'The server is cut off: no network, no replication, no events. What comes out is noted in the repository, and nothing is left behind. Exit code 5 when the backup does not restore or a table is not good.',
    options: [
      option('--checksums', 'also CHECKSUM TABLE of every table of users: reads every row'),
      option('--extended', 'check every row and index entry, not only the structure of the tables'),
      option('--directory <directory>', 'for the scratch directory; needs room for the whole database').default(
        '/var/tmp',
      ),
      option('--server-program <path>', 'mariadbd or mysqld; default: looked for on the PATH'),
      option('--owner <user>', 'whom the server runs as, where this runs as root; default mysql'),
      ...[option('--on <agent>', 'on the host of this agent; without it the manager chooses one'), detach].map((each) =>
        each.helpGroup('On a manager only:'),
      ),
      memory,
      ofService,
      ...elsewhereOptions,
    ],
    examples: [
      ['holdfast drill latest -r /srv/backups --passphrase-file pass', 'prove the newest backup'],
      ['holdfast drill latest --checksums --json -r /srv/backups --passphrase-file pass', 'with checksums to compare'],
      [`holdfast drill 20261121T014327Z-9f3a21bc ${agent}`, 'on the host of an agent'],
      [`holdfast drill before-upgrade ${manager}`, 'by a manager, on a host that can'],
    ],
    load: async () => (await import('./drill.ts')).drillCommand,
  },
];

/** `backup`, `restore` and `drill`: on a manager or an agent where one is named, else in this process. */
export function defineJobs(program: Command, run: Runner): readonly Command[] {
  return definitions.map((definition) => define(program, definition, run));
}
