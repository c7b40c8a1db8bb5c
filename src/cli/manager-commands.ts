import type { Command } from 'commander';
import { define, type Definition, option, type Runner, serverOptions } from './define.ts';
import { label } from './parse-options.ts';

const logLevel = () =>
  option('--log-level <level>', 'of the log on stderr, one JSON object on each line').choices([
    'debug',
    'info',
    'warn',
    'error',
    'silent',
  ]);

const manager: Definition = {
  usage: 'manager',
  summary: 'run the manager of a fleet: its API and its web pages',
  description:
    'It keeps what is wanted and what is, has agents do it, and shows it in a browser. The first time, it prints the password of admin. Ctrl-C or SIGTERM end it; what runs on agents goes on there, and is found again.',
  options: [
    option('--config <file>', 'its own file, JSON; default /etc/holdfast/manager.json if it is there'),
    logLevel().default('info'),
  ],
  examples: [['holdfast manager --config /etc/holdfast/manager.json', 'as a service would']],
  load: async () => (await import('./manager.ts')).managerCommand,
};

const up: Definition = {
  usage: 'up',
  summary: 'protect the database server of this host: manager and agent in one process',
  description:
    'Finds the server, adds it as a service, and prints the address of the web pages; the first time also the password of admin. Run it as root or as the user of the server. Everything is kept in its state directory, so that it goes on where it was. Ctrl-C ends it.',
  options: [
    option('--listen <address>', 'where a browser finds it').default('127.0.0.1:7440'),
    option('--service <name>', 'what the server is called; default: the name of this host').argParser(label),
    option('--state-dir <directory>', 'default /var/lib/holdfast or ~/.local/state/holdfast').env('HOLDFAST_STATE_DIR'),
    option('--restore-to <directories...>', 'restores go below these; default: restores in the state directory'),
    option('--unit <name>', 'systemd unit of the server: it may be stopped and its data replaced'),
    option('--stop-command <command>', 'instead of --unit: the path of a program and its arguments'),
    option('--start-command <command>', 'starts it again'),
    option('--server-program <path>', 'mariadbd or mysqld, for drills; default: looked for on the PATH'),
    logLevel().default('warn'),
    ...serverOptions,
  ],
  examples: [
    ['holdfast up', 'of the server at its usual socket'],
    [
      'holdfast up --service shop --user holdfast --password-file /etc/holdfast/db-password --unit mariadb',
      'with a database user of its own, and leave to restore in place',
    ],
  ],
  load: async () => (await import('./up.ts')).upCommand,
};

/** `holdfast manager` and `holdfast up`. */
export function defineManager(program: Command, run: Runner): void {
  for (const each of [up, manager]) define(program, each, run);
}
