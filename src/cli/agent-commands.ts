import type { Command } from 'commander';
import { define, type Definition, option, type Runner } from './define.ts';

const agent: Definition = {
  usage: 'agent',
  summary: 'run beside a database server and take orders over HTTPS',
  description:
    'What it may do is said by its own file, which no request can change. It prints its address, the fingerprint of its certificate and where its token is. Ctrl-C or SIGTERM end it.',
  options: [
    option('--config <file>', 'its own file, JSON; default /etc/holdfast/agent.json if it is there'),
    option('--log-level <level>', 'of the log on stderr, one JSON object on each line')
      .choices(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info'),
  ],
  examples: [['holdfast agent --config /etc/holdfast/agent.json', 'as a service would']],
  load: async () => (await import('./agent.ts')).agentCommand,
};

const join: Definition = {
  usage: 'join <token-file>',
  summary: 'join a manager, with a token that an admin made there',
  description:
    'Run it as the user of the agent. An agent that runs already is in touch with the manager a few seconds later. With - the token is read from the standard input.',
  options: [
    option('--name <name>', 'in the manager; default: the name of this host'),
    option('--listen-url <url>', 'where the manager reaches this agent, such as https://db1.example.net:7443'),
    option('--dial-out', 'the agent opens the connections to the manager; this is the default'),
  ],
  examples: [
    ['holdfast agent join --name db1 token.txt', 'the agent dials out, so nothing need reach this host'],
    ['holdfast agent join --listen-url https://db1.example.net:7443 token.txt', 'the manager calls the agent'],
  ],
  load: async () => (await import('./agent-join.ts')).joinCommand,
};

const install: Definition = {
  usage: 'install',
  summary: 'make the agent a service of systemd, under a user of its own',
  description:
    'Writes a unit that lets it read everything and write to its own directories only, and a file for what it may do where there is none. Neither enables nor starts it. Run it again when directories in its file changed.',
  options: [
    option('--name <name>', 'for several agents on one host'),
    option('--user <user>', 'that it runs as, made where it is missing; root where it restores in place').default(
      'holdfast',
    ),
    option('--print', 'only show the unit'),
  ],
  examples: [
    ['holdfast agent install', 'unit holdfast-agent, file /etc/holdfast/agent.json'],
    ['holdfast agent install --name db2 --print', 'see what a second one on this host would be'],
  ],
  load: async () => (await import('./agent-install.ts')).installCommand,
};

/** `holdfast agent`: the role itself, and what is done once on its host. */
export function defineAgent(program: Command, run: Runner): Command {
  const command = define(program, agent, run);
  for (const each of [join, install]) define(command, each, run);
  return command;
}
